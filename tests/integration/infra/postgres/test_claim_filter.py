"""Claims are found in a table of many pages, whatever part of it the filter has read."""

from __future__ import annotations

from random import Random

import pytest

from infra.postgres.claim_filter import ClaimLookup
from infra.postgres.connection import Connection, connected
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


async def test_claims_are_found_during_a_read(settings: Settings, connection: Connection, stored: list[bytes]) -> None:
    lookup = ClaimLookup(connection, pages_at_once=7)
    random = Random(2)
    places = [0, STORED // 2, STORED - 1]
    known = {stored[at]: (stored[at], at + 1) for at in places}
    for number in range(STORED, STORED + 20):
        claim = random.randbytes(16)
        assert await lookup.known([bytes(16), claim, *known]) == known
        await connection.execute("INSERT INTO log.event_id VALUES ($1, $1, $2)", claim, number)
        lookup.add([claim])
        assert await lookup.known([claim]) == {claim: (claim, number)}, "it was committed meanwhile"
    assert set(await lookup.known(stored)) == set(stored)

    async with connected(settings, "test") as own:
        whole = ClaimLookup(own)
        assert set(await whole.known(stored[:3])) == set(stored[:3])
    assert await whole.known([bytes(16)]) == {}, "a new claim needs no database once the table is read"
    with pytest.raises(Exception, match="connection is closed"):
        await whole.known([stored[0]])

    query = queries("infra.postgres", "claim_filter.sql")["prefixes"]
    plan = await connection.fetch("EXPLAIN " + query.replace("$1", "1").replace("$2", "2"))
    assert any("Tid Range Scan" in row[0] for row in plan), "only the wanted pages are read"
