"""What a replay remembers of its own rows, so that it need not look for what it never stored."""

from __future__ import annotations

from consumers.programme.projections.handlers.plan import PLAN
from consumers.programme.projections.handlers.services import SERVICE
from consumers.replay.fold.apply import StoredKeys

KEYS = [(f"S-{number}",) for number in range(5_000)]


def test_a_stored_key_is_never_taken_for_absent_and_almost_every_new_key_needs_no_look() -> None:
    stored = StoredKeys()
    stored.add(SERVICE, KEYS)
    assert stored.maybe(SERVICE, KEYS) == KEYS
    assert len(stored.maybe(SERVICE, [(f"T-{number}",) for number in range(5_000)])) < 50
    assert len(stored.maybe(PLAN, KEYS)) < 50
