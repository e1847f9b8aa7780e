"""Claims are found in a table of many pages, whatever part of it the filter has read."""

from __future__ import annotations

from random import Random

import pytest

from infra.postgres.claim_filter import ClaimLookup
from infra.postgres.connection import Connection, connect
from infra.postgres.sql import queries
from infra.settings import Settings

STORED = 5_000


@pytest.fixture
async def stored(connection: Connection) -> list[bytes]:
    """The claims of a table of about 50 pages, in the order of their indexes."""
    random = Random(1)
    claims = [random.randbytes(16) for _ in range(STORED)]
    await connection.execute(
        "INSERT INTO log.event_id SELECT c, c, n FROM unnest($1::bytea[]) WITH ORDINALITY AS r(c, n)", claims
    )
    return claims


async def test_claims_are_found_while_the_table_is_read_and_after(connection: Connection, stored: list[bytes]) -> None:
    lookup = ClaimLookup(connection, pages_at_once=7)
    places = [0, STORED // 2, STORED - 1]
    asked = [bytes(16), *(stored[at] for at in places)]
    for _ in range(20):
        assert await lookup.known(asked) == {stored[at]: (stored[at], at + 1) for at in places}
    assert set(await lookup.known(stored)) == set(stored)


async def test_a_new_claim_needs_no_database_once_the_table_is_read(settings: Settings, stored: list[bytes]) -> None:
    own = await connect(settings, "test")
    lookup = ClaimLookup(own)
    assert set(await lookup.known(stored[:3])) == set(stored[:3])
    await own.close()
    assert await lookup.known([bytes(16)]) == {}
    with pytest.raises(Exception, match="connection is closed"):
        await lookup.known([stored[0]])


async def test_claims_that_are_committed_meanwhile_are_found(connection: Connection, stored: list[bytes]) -> None:
    lookup = ClaimLookup(connection, pages_at_once=7)
    random = Random(2)
    for number in range(20):
        claim = random.randbytes(16)
        assert await lookup.known([claim, stored[number]]) == {stored[number]: (stored[number], number + 1)}
        await connection.execute("INSERT INTO log.event_id VALUES ($1, $1, $2)", claim, STORED + number)
        lookup.add([claim])
        assert await lookup.known([claim]) == {claim: (claim, STORED + number)}


@pytest.mark.usefixtures("stored")
async def test_only_the_wanted_pages_are_read(connection: Connection) -> None:
    query = queries("infra.postgres", "claim_filter.sql")["prefixes"]
    plan = await connection.fetch("EXPLAIN " + query.replace("$1", "1").replace("$2", "2"))
    assert any("Tid Range Scan" in row[0] for row in plan)
