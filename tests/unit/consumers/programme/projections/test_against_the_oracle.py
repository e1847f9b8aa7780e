"""The projections agree with the oracle, however the log is split into batches."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracle.history import HOSTILE, MIXED, Profile, entries_from, generate
from tests.oracle.log import EntryDict
from tests.oracle.strategies import world_logs
from tests.world.plan import Story


@settings(max_examples=60, deadline=None)
@given(log=world_logs(), data=st.data())
def test_small_logs_dense_in_contradictions(log: list[EntryDict], data: st.DataObject) -> None:
    story = Story(log)
    store = story.folded_at(sorted(data.draw(st.lists(st.integers(0, len(log)), max_size=6))))
    story.assert_same_as_oracle(store)
    assert store.state() == story.folded().state()


@pytest.mark.parametrize(("seed", "profile"), [(7, MIXED), (8, HOSTILE)])
def test_generated_histories(seed: int, profile: Profile) -> None:
    story = Story(entries_from(generate(seed, 600, profile), f"shuffled:{seed}"))
    story.assert_same_as_oracle(story.folded(50))
