"""What the gateway shows of the record that was validated, for every kind of refusal."""

from __future__ import annotations

from decimal import Decimal
from hashlib import sha256
from typing import Any, cast, get_args

from asyncpg import Range
from msgspec import UNSET

from events.validation.refusal import refusal_event
from events.validation.validate import validate
from events.validation.verdicts import Refused
from events.wire.codec import STRUCTURED_HEADERS
from events.wire.entry import entry_bytes
from infra.log.merkle import leaf_hash
from infra.postgres.connection import Connection
from producers.gateway.answers import State, halted_of
from producers.gateway.verdicts import add_records, by_offsets, completeness, verdict
from tests.every import every
from tests.world.documents import as_json
from tests.world.events import HEALTH, encoded, initiative

TIME = "2006-01-02T03:04:05.000006Z"
UNREAD = dict[str, Any](repeated=[], overflowed_index=None, has_numbers=None, first=Decimal(1), last=None)
UNKNOWN = encoded(initiative(type="sa.gov.yesser.nothing.done.v1", id="e-1"))
PERSONAL = encoded(initiative(id="1000000008"))


class Database:
    """Answers every question with these rows."""

    def __init__(self, *rows: Any) -> None:
        self._rows = rows

    async def fetch(self, *_: object) -> list[Any]:
        return [*self._rows]

    async def fetchrow(self, *_: object) -> Any:
        return self._rows[0]


def database(*rows: Any) -> Connection:
    return cast(Connection, Database(*rows))


@every(
    ("row", "document"),
    [
        ({"index": 9}, {"state": "registered", "index": 9, "proof": "/v1/proofs/9"}),
        ({"of_index": 3}, {"state": "duplicate", "index": 3, "proof": "/v1/proofs/3"}),
        ({"index": 9, "errors": []}, {"state": "refused", "index": 9, "proof": "/v1/proofs/9", "errors": []}),
        ({"next_offset": 4}, {"state": "pending"}),
        ({"next_offset": None}, {"state": "pending"}),
        ({"next_offset": 4, "halted_reason": "gone"}, {"state": "pending", "halted": halted_of("gone")}),
        ({}, {"state": "lost"}),
    ],
)
async def test_only_what_has_an_entry_is_said_to_be_registered(row: dict[str, Any], document: dict[str, Any]) -> None:
    record = {"offset": 4, "next_offset": 6, "halted_reason": None, "of_index": None, "errors": None, "index": None}
    (found,) = await by_offsets(database(record | row), "health", [4])
    assert as_json(found) == {"address": "agency.health.events/0/4", **document}
    assert found.state in get_args(State)


def test_an_agency_does_not_read_the_operators_reason_of_a_halt() -> None:
    told = halted_of("offset 7 differs: run `yesser registrar unhalt`")
    assert isinstance(told, str)
    assert "offset" not in told
    assert "unhalt" not in told
    assert "مكتب البرنامج" in told
    assert halted_of(None) is UNSET


@every(
    ("value", "shown"), [(UNKNOWN, {"id": "e-1", "sha256": sha256(UNKNOWN).hexdigest()}), (PERSONAL, {}), (None, {})]
)
async def test_a_refusal_shows_the_id_and_the_hash_that_it_keeps(value: bytes | None, shown: dict[str, Any]) -> None:
    refused = validate(value, STRUCTURED_HEADERS, HEALTH)
    assert isinstance(refused, Refused)
    topic = "agency.health.events"
    event, _, _ = refusal_event(topic=topic, partition=0, offset=0, value=value, refused=refused, time=TIME)
    entry = entry_bytes(TIME, f"{topic}/0/0", event)
    segment = (0, len(entry).to_bytes(2, "big") + entry, leaf_hash(entry))
    row = verdict("refused", 0)
    await add_records(database(segment), [row])
    assert as_json(row) == {**shown, "state": "refused", "index": 0, "proof": "/v1/proofs/0"}


def numbers(first: int, end: int) -> list[Range[Decimal]]:
    return [Range(Decimal(first), Decimal(end))]


async def test_numbers_of_twenty_digits_are_texts() -> None:
    last = 10**20 - 1
    read = {"seen": numbers(last, last + 1), "missing": numbers(1, last), "has_numbers": True}
    row = UNREAD | read | {"last": Decimal(last), "highest": Decimal(last)}
    assert as_json(await completeness(database(row), "health", "2026-11")) == {
        "agency": "health", "status": "incomplete", "highest": str(last), "sequences_overflowed_at": None,
        "seen_count": 1, "missing_count": str(last - 1), "seen": [[str(last), str(last)]],
        "missing": [[1, str(last - 1)]], "repeated": [], "month": "2026-11", "first": 1, "last": str(last),
    }  # fmt: skip


@every(
    ("last", "missing", "overflowed_index", "status"),
    [
        (None, 0, None, "no-numbers-sent"),
        (5, 0, None, "only-earlier-numbers"),
        (15, 0, None, "complete"),
        (15, 3, None, "incomplete"),
        (15, 3, 40, "not-known"),
        (5, 0, 40, "not-known"),
    ],
)
async def test_a_month_says_what_is_known(
    last: int | None, missing: int, overflowed_index: int | None, status: str
) -> None:
    """Ten numbers were read before the month, and `last` is the highest that was read in it."""
    month = {"first": Decimal(11), "last": Decimal(max(10, last or 0)), "has_numbers": last is not None}
    read = {"seen": [], "missing": numbers(11, 11 + missing), "highest": Decimal(15)}
    row = UNREAD | month | read | {"overflowed_index": overflowed_index}
    document = await completeness(database(row), "health", "2026-11")
    assert document.status == status
    assert (document.missing_count is None) == (status not in ("complete", "incomplete"))
    assert bool(document.missing) == (status == "incomplete")


async def test_of_numbers_that_are_no_longer_kept_none_is_said_to_be_missing() -> None:
    read = {"seen": numbers(1, 5), "missing": numbers(5, 8), "highest": Decimal(90), "overflowed_index": 40}
    document = await completeness(database(UNREAD | read), "health")
    assert (document.status, document.missing_count, document.missing) == ("not-known", None, [])
    assert (document.seen, document.highest) == ([[1, 4]], 90)
