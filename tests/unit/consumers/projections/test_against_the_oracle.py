"""The projections agree with the oracle, however the log is split into batches."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.fold.anomaly import ANOMALY
from consumers.projections.consumer import CONSUMER
from tests.oracle.fold import fold
from tests.oracle.history import HOSTILE, MIXED, Profile, entries_from, generate
from tests.oracle.log import EntryDict
from tests.oracle.strategies import world_logs
from tests.world.entries import entry_of
from tests.world.memory_store import MemoryStore

HANDLED = (
    "sa.gov.yesser.plan.",
    "sa.gov.yesser.project.",
    "sa.gov.yesser.service.",
    "sa.gov.yesser.training.",
    "sa.gov.yesser.partnership.workshop-",
    "sa.gov.yesser.partnership.framework-",
    "sa.gov.yesser.awareness.initiative-",
)


def apply_all(log: Sequence[EntryDict], cuts: Sequence[int]) -> MemoryStore:
    """Apply the log in batches that end at `cuts`."""
    entries = [entry_of(made) for made in log]
    store = MemoryStore()
    for start, end in zip([0, *cuts], [*cuts, len(entries)], strict=True):
        store.apply(CONSUMER, entries[start:end])
    return store


def assert_same_as_oracle(store: MemoryStore, log: Sequence[EntryDict]) -> None:
    expected = [
        (a.index, a.found_index, a.rule, a.type, a.subject, a.agency)
        for a in fold(log).anomalies
        if a.type.startswith(HANDLED)
    ]
    found = [(a.index, a.found_index, a.rule, a.type, a.subject, a.agency) for a in store.rows(ANOMALY)]
    assert sorted(found) == sorted(expected)


@settings(max_examples=60, deadline=None)
@given(log=world_logs(), data=st.data())
def test_small_logs_dense_in_contradictions(log: list[EntryDict], data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(log)), max_size=6)))
    store = apply_all(log, cuts)
    assert_same_as_oracle(store, log)
    assert store.state() == apply_all(log, []).state()


@pytest.mark.parametrize(("seed", "profile"), [(7, MIXED), (8, HOSTILE)])
def test_generated_histories(seed: int, profile: Profile) -> None:
    log = entries_from(generate(seed, 600, profile), f"shuffled:{seed}")
    assert_same_as_oracle(apply_all(log, range(50, len(log), 50)), log)
