"""What a rule decides is an event as the contract writes it."""

from __future__ import annotations

import orjson

from infra.postgres.outbox import event_bytes
from tests.world.story import Story


def test_a_decided_event_is_canonical_and_small() -> None:
    story = Story()
    story.register("S")
    story.launch("S")
    (event,) = story.outbox
    raw = event_bytes(event)
    assert raw == orjson.dumps(orjson.loads(raw), option=orjson.OPT_SORT_KEYS)
    assert len(raw) < 61_440
