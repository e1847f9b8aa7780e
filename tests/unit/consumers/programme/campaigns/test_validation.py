"""What the platform decides passes validation, whatever agencies put into names, aims and reasons."""

from __future__ import annotations

import orjson

from events.validation.validate import validate
from events.validation.verdicts import Accepted, Agency
from events.wire.codec import STRUCTURED_HEADERS
from infra.postgres.outbox import event_bytes
from tests.every import every
from tests.world.story import Story

PLATFORM = Agency("platform", "platform")
NAMES = {
    "longest": "خدمة " * 400,
    "one endless word": "x" * 2_000,
    "one endless number": "1" * 2_000,
    "a number at the limit": "y" * 790 + " 1000000008123 " + "z" * 1_000,
    "a number across the limit": "y " * 395 + "1000000008" * 3 + "z" * 1_000,
    "braces": "{name} {} {0.__class__}",
    "new lines and tabs": "one\n\ttwo",
    "one character": "ع",
    "runs that a mark separates": "Service 10000\u200e00008",
    "runs that an Arabic mark separates": "خدمة ١٠٠٠٠\u061c٠٠٠٠٨",
    "runs that an isolate separates": "10000\u206800008\u2069",
    "runs that a mark separates at the limit": "y " * 394 + "10000\u200e00008 " + "z" * 1_000,
}


@every("name", NAMES.values())
def test_every_decided_event_is_accepted(name: str) -> None:
    story = Story()
    both = {"ar": name, "en": name}
    story.adopt(one=1)
    story.tell("health", "service.registered", service_id="S", plan_id="P", group=1, name=both)
    story.launch("S")
    initiative = {"initiative_id": "I", "name": both, "aim": both, "on": "2026-11-01"}
    story.tell("health", "awareness.initiative-announced", **initiative)
    story.set_quota(1)
    story.certify("c1")
    decided = list(story.outbox)
    story.come_back()
    story.tell("health", "service.suspended", service_id="S", on="2026-11-01", reason=both)
    story.change("resumed", "S")

    decided += story.outbox
    of_the_launch = [
        orjson.loads(event_bytes(event)) for event in decided if b'"service-launched"' in event_bytes(event)
    ]
    assert [event["type"].split(".")[-2] for event in of_the_launch] == ["triggered", "paused", "resumed"]
    assert len(decided) >= 6, "one at least by each kind of cause"
    for event in decided:
        raw = event_bytes(event)
        assert raw == orjson.dumps(orjson.loads(raw), option=orjson.OPT_SORT_KEYS), "it is canonical"
        assert len(raw) < 61_440
        verdict = validate(raw, STRUCTURED_HEADERS, PLATFORM)
        assert isinstance(verdict, Accepted), verdict
