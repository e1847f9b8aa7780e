"""What the gateway shows of the record that was validated, for every kind of refusal."""

from __future__ import annotations

from hashlib import sha256
from typing import Any, cast

import pytest

from events.validation.refusal import refusal_event
from events.validation.validate import validate
from events.validation.verdicts import Refused
from events.wire.codec import STRUCTURED_HEADERS
from events.wire.entry import entry_bytes
from infra.postgres.connection import Connection
from producers.gateway.verdicts import STATES, Verdict, by_offsets, validated_records
from tests.unit.events.samples import HEALTH, encoded, initiative

TIME = "2006-01-02T03:04:05.000006Z"
UNKNOWN = encoded(initiative(type="sa.gov.yesser.nothing.done.v1", id="e-1"))
PERSONAL = encoded(initiative(id="1000000008"))


class OneEntry:
    """The database, with one segment of one entry."""

    def __init__(self, entry: bytes) -> None:
        self._entry = entry

    async def fetch(self, _sql: str, _indexes: list[int]) -> list[tuple[int, bytes]]:
        return [(0, len(self._entry).to_bytes(2, "big") + self._entry)]


class OneRow:
    """The database, with these members of one record's row."""

    def __init__(self, **row: Any) -> None:
        self._row = {"offset": 4, "next_offset": 6, "halted_reason": None, "of_index": None, "errors": None, **row}

    async def fetch(self, _sql: str, _topic: str, _offsets: list[int]) -> list[dict[str, Any]]:
        return [{"index": None, **self._row}]


@pytest.mark.parametrize(
    ("row", "document"),
    [
        ({"index": 9}, {"state": "registered", "index": 9, "proof": "/v1/proofs/9"}),
        ({"of_index": 3}, {"state": "duplicate", "index": 3, "proof": "/v1/proofs/3"}),
        ({"index": 9, "errors": []}, {"state": "refused", "index": 9, "proof": "/v1/proofs/9", "errors": []}),
        ({"next_offset": 4}, {"state": "pending"}),
        ({"next_offset": None}, {"state": "pending"}),
        ({}, {"state": "lost"}),
    ],
    ids=str,
)
async def test_only_what_has_an_entry_is_said_to_be_registered(row: dict[str, Any], document: dict[str, Any]) -> None:
    (verdict,) = await by_offsets(cast(Connection, OneRow(**row)), "health", [4])
    assert verdict.document() == document
    assert verdict.state in STATES


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (UNKNOWN, {"id": "e-1", "sha256": sha256(UNKNOWN).hexdigest()}),
        (PERSONAL, {}),
        (None, {}),
    ],
)
async def test_a_refusal_shows_the_id_and_the_hash_that_it_keeps(value: bytes | None, shown: dict[str, Any]) -> None:
    refused = validate(value, STRUCTURED_HEADERS, HEALTH)
    assert isinstance(refused, Refused)
    topic = "agency.health.events"
    event, _, _ = refusal_event(topic=topic, partition=0, offset=0, value=value, refused=refused, time=TIME)
    connection = cast(Connection, OneEntry(entry_bytes(TIME, f"{topic}/0/0", event)))
    assert await validated_records(connection, [Verdict("refused", 0)]) == [shown]
