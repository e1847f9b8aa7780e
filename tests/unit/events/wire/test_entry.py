"""An entry is read without reading more of it than is asked for."""

from __future__ import annotations

import orjson
import pytest

from events.wire.entry import NotAnEntry, entry_bytes, parse_entry
from tests.every import every
from tests.world.events import event

EVENT = event(
    "service.launched",
    "service/مواعيد",
    {"name": 'حجز "المواعيد"', "channels": ["web"], "count": 2**53 - 1},
    extension={"nested": [1, {"type": "other"}]},
)
RAW = entry_bytes("2026-11-25T10:00:00.000000Z", "agency.health.events/0/7", orjson.dumps(EVENT))


@every("raw", [RAW, memoryview(RAW)])
def test_all_that_consumers_use_is_there(raw: bytes | memoryview) -> None:
    entry = parse_entry(12, raw)
    assert (entry.index, entry.recorded) == (12, "2026-11-25T10:00:00.000000Z")
    assert (entry.address, entry.agency) == ("agency.health.events/0/7", "health")
    assert (entry.id, entry.subject, entry.time) == ("e-1", "service/مواعيد", "2005-05-05T05:05:05Z")
    assert (entry.type, entry.full_type) == ("service.launched", "sa.gov.yesser.service.launched.v1")
    assert entry.data == EVENT["data"]
    assert entry.data is entry.data, "the same object each time"


def test_members_may_stand_in_any_order_and_with_escapes() -> None:
    raw = b'{"data":{"n":"\\u0645"}, "time":"t","subject":"s","type":"sa.gov.yesser.plan.adopted.v1",' + (
        b'"source":"urn:yesser:agency:\\u0079esser","id":"\\u0069"}'
    )
    entry = parse_entry(0, entry_bytes("r", "f", raw))
    assert (entry.id, entry.agency, entry.type, entry.data) == ("i", "yesser", "plan.adopted", {"n": "م"})


@every(
    "raw",
    [b"", b"null", b"[]", RAW[:-1], RAW + b"x", RAW.replace(b'"subject"', b'"theme"'), RAW.replace(b'"e-1"', b"1")],
)
def test_what_is_no_entry_is_said_to_be_none(raw: bytes) -> None:
    with pytest.raises(NotAnEntry, match="the bytes at index 3"):
        parse_entry(3, raw)
