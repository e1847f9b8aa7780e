"""Indexes in groups that one query reads; a bundle is read back as the entries it was made of."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from infra.log.bundle import DamagedBundle, by_bundle, split_bundle


def test_indexes_are_grouped_by_bundle_or_by_adjacent_bundles() -> None:
    indexes = [0, 255, 256, 700, 1024, 1279, 1280, 1281]
    assert list(by_bundle(indexes)) == [[0, 255], [256], [700], [1024, 1279], [1280, 1281]]
    assert list(by_bundle(indexes, 2)) == [[0, 255, 256], [700], [1024, 1279, 1280, 1281]]
    assert list(by_bundle(indexes, 32)) == [[0, 255, 256, 700], [1024, 1279, 1280, 1281]]
    assert list(by_bundle([])) == []


@given(st.lists(st.binary(max_size=300), max_size=40))
@example([b"x" * 65_535])
def test_a_bundle_splits_into_its_entries(entries: list[bytes]) -> None:
    assert split_bundle(b"".join(len(e).to_bytes(2, "big") + e for e in entries)) == entries


@example(b"\0")
@example(b"\0\5bc")
@given(st.binary(min_size=1, max_size=1))
def test_of_a_damaged_bundle_the_entries_before_the_damage_are_whole(damage: bytes) -> None:
    with pytest.raises(DamagedBundle) as damaged:
        split_bundle(b"\0\1a" + damage)
    assert damaged.value.whole == [b"a"]
