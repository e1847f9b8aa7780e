"""`/v1/refusals`: who sees which, the newest first, and what counts as a correction."""

from __future__ import annotations

from hashlib import sha256

import pytest

from events.validation.verdicts import HASH_BYTES
from infra.postgres.connection import Connection
from tests.integration.consumers.read_api.read_api import CALLERS, Window

ADD = """INSERT INTO log.refusal (index, agency, address, claimed_id, claimed_type, errors)
VALUES ($1, $2, $3, $4, NULL, '[{"code": "not-json", "pointer": "", "detail": "This is not a JSON object."}]')"""
HEALTH, LABOUR = CALLERS["health"], CALLERS["labour"]


def claim(agency: str, id_: str) -> bytes:
    return sha256(f"urn:yesser:agency:{agency}\0{id_}".encode()).digest()[:HASH_BYTES]


async def accept(connection: Connection, agency: str, id_: str, index: int, identity: bytes = b"i" * 16) -> None:
    """An accepted event of this id."""
    await connection.execute(
        "INSERT INTO log.event_id (claim, identity, index) VALUES ($1, $2, $3)", claim(agency, id_), identity, index
    )


@pytest.fixture(autouse=True)
async def refusals(window: Window, connection: Connection) -> None:
    """Five refusals of health: open, corrected under its id, whose id was taken before, sent again, without an id;
    and one of labour with an id that health used."""
    for index, agency, id_ in (
        (3, "health", "open"),
        (4, "health", "corrected"),
        (5, "health", "taken"),
        (6, "health", "sent-again"),
        (7, "health", None),
        (8, "labour", "corrected"),
    ):
        await connection.execute(ADD, index, agency, f"agency.{agency}.events/0/{index}", id_)
    await accept(connection, "health", "corrected", 9)
    await accept(connection, "health", "taken", 2)
    await accept(connection, "health", "a-new-id", 10)
    await connection.execute(
        "INSERT INTO platform.redrive (refusal_index, claim, identity, event_id) VALUES (6, $1, $2, 'a-new-id')",
        claim("health", "a-new-id"),
        b"i" * 16,
    )


async def test_each_refusal_names_the_entry_that_corrected_it(window: Window) -> None:
    found = await window.json("/v1/refusals", *HEALTH)
    assert [(row["index"], row["accepted_index"]) for row in found] == [
        (7, None),
        (6, 10),
        (5, None),
        (4, 9),
        (3, None),
    ]
    assert found[0]["errors"] == [{"code": "not-json", "pointer": "", "detail": "This is not a JSON object."}]
    assert [row["index"] for row in await window.json("/v1/refusals?open=true", *HEALTH)] == [7, 5, 3]
    assert (await window.json("/v1/refusals/4", *HEALTH))["accepted_index"] == 9
    assert (await window.json("/v1/refusals/4", *HEALTH))["proof"] == "/v1/proofs/4"


async def test_an_agency_sees_its_own_and_the_office_all(window: Window) -> None:
    assert [row["index"] for row in await window.json("/v1/refusals", *LABOUR)] == [8]
    assert [row["index"] for row in await window.json("/v1/refusals")] == [8, 7, 6, 5, 4, 3]
    assert [row["index"] for row in await window.json("/v1/refusals?agency=labour")] == [8]
    assert (await window.get("/v1/refusals?agency=health", *LABOUR)).status_code == 403
    assert (await window.get("/v1/refusals/4", *LABOUR)).status_code == 404
    assert (await window.get("/v1/refusals/2", *HEALTH)).status_code == 404, "an entry that is no refusal"


async def test_pages_go_from_the_newest_to_the_oldest(window: Window) -> None:
    pages = await window.pages("/v1/refusals?agency=health", 2)
    assert [[row["index"] for row in page] for page in pages] == [[7, 6], [5, 4], [3]]
