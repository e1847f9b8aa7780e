"""Indexes in groups that one query reads."""

from __future__ import annotations

from infra.log.bundle import by_bundle


def test_indexes_are_grouped_by_bundle_or_by_adjacent_bundles() -> None:
    indexes = [0, 255, 256, 700, 1024, 1279, 1280, 1281]
    assert list(by_bundle(indexes)) == [[0, 255], [256], [700], [1024, 1279], [1280, 1281]]
    assert list(by_bundle(indexes, 2)) == [[0, 255, 256], [700], [1024, 1279, 1280, 1281]]
    assert list(by_bundle(indexes, 32)) == [[0, 255, 256, 700], [1024, 1279, 1280, 1281]]
    assert list(by_bundle([])) == []
