"""Consumers and their principals."""

from __future__ import annotations

from consumers.registry import CONSUMERS as REGISTERED
from infra.principals import CONSUMERS, schema_of


def test_every_consumer_is_a_principal() -> None:
    assert [(name, consumer.schema) for name, consumer in REGISTERED.items()] == [(c, schema_of(c)) for c in CONSUMERS]
