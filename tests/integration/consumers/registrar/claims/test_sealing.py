"""Claims are sealed, and found by each new owner, whatever ended the one before or damaged what it wrote."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from random import Random

import asyncpg
import pytest
from structlog.testing import capture_logs

from consumers.registrar.claims.filter import ClaimFilter
from consumers.registrar.claims.fingerprints import PARTS, Fingerprints, hash_of
from consumers.registrar.claims.lookup import ClaimLookup
from consumers.registrar.claims.sealing import ClaimSealing, keep_claims
from infra.postgres.connection import Connection, connected
from infra.postgres.sql import queries
from infra.settings import Settings
from tests.world.records import said
from tests.world.registrars import at_work, ids, registrar, until_size
from tests.world.topics import HEALTH_TOPIC, send
from tests.world.waits import running, until

STORED = 5_000
FEW = 16
"""Parts in the place of all: each costs the same whatever it has, and no other part's claims."""
RUN = 4_800
WHOLE = 2 * RUN
"""The entries of which all is sealed, as one run where the merging of two is not the point."""


@pytest.fixture
async def stored(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The claims of a table of about 50 pages. Some entries claim nothing."""
    for module in ("filter", "sealing"):
        monkeypatch.setattr(f"consumers.registrar.claims.{module}.PARTS", FEW)
    claims = some_claims(1, STORED)
    await add(connection, claims, 0)
    return claims


def some_claims(seed: int, count: int) -> list[bytes]:
    """Claims of the few parts."""
    random = Random(seed)
    return [bytes([random.randrange(FEW)]) + random.randbytes(15) for _ in range(count)]


async def add(connection: Connection, claims: list[bytes], first_index: int) -> None:
    await connection.execute(
        "INSERT INTO log.event_id SELECT c, c, $2 + 2 * n - 2 FROM unnest($1::bytea[]) WITH ORDINALITY AS r(c, n)",
        claims,
        first_index,
    )


async def held(connection: Connection) -> None:
    """The lease is this owner's."""


async def new_owner(
    connection: Connection, hold: Callable[[Connection], Awaitable[None]] = held, run: int = RUN
) -> ClaimFilter:
    """The filter of an owner that took over, and sealed what was to be sealed."""
    claims = ClaimFilter(run)
    sealing = ClaimSealing(connection, claims, lambda: 2 * STORED, hold)
    await sealing.take_over()
    while await sealing.seal_next():
        pass
    return claims


async def ranges(connection: Connection) -> set[tuple[int, int]]:
    rows = await connection.fetch("SELECT DISTINCT first_index, end_index FROM log.sealed_claims ORDER BY 1")
    return {(row["first_index"], row["end_index"]) for row in rows}


async def test_a_new_owner_finds_every_claim_and_looks_up_nearly_no_other(
    settings: Settings, connection: Connection, stored: list[bytes]
) -> None:
    claims = await new_owner(connection)
    assert claims.possible(stored) == stored
    assert len(claims.possible(some_claims(2, 10_000))) < 5
    assert await ranges(connection) == {(0, 9600)}, "two runs, merged; the rest is recent"
    assert await connection.fetchval("SELECT sum(claims_count) FROM log.sealed_claims") == 4800

    lookup = ClaimLookup(connection)
    known = {claim: (claim, 2 * at) for at, claim in enumerate(stored)}
    assert (await lookup.known(stored[:9])).claims == {claim: known[claim] for claim in stored[:9]}, (
        "nothing is read yet"
    )
    sealing = ClaimSealing(connection, lookup.filter, lambda: 2 * STORED, held)
    await sealing.take_over()
    fresh = some_claims(3, 20)
    await add(connection, fresh, 2 * STORED)
    lookup.add(fresh, 2 * STORED + 40)
    assert (await lookup.known([*fresh, bytes(16), *stored])).claims == known | {
        claim: (claim, 2 * STORED + 2 * at) for at, claim in enumerate(fresh)
    }
    async with connected(settings, "test") as own:
        alone = ClaimLookup(own)
        await ClaimSealing(own, alone.filter, lambda: 2 * STORED, held).take_over()
    assert (await alone.known([bytes(16)])).claims == {}, "a new claim needs no database"
    with pytest.raises(asyncpg.InterfaceError, match="connection is closed"):
        await alone.known([stored[0]])


async def test_the_claims_of_a_run_are_found_without_reading_all_others(connection: Connection) -> None:
    query = queries("consumers.registrar.claims", "claims.sql")["prefixes"].replace("$1", "1").replace("$2", "2")
    await connection.execute("SET enable_seqscan = off")
    plan = await connection.fetch(f"EXPLAIN {query}")
    assert any("event_id_by_index" in row[0] for row in plan)


async def test_a_part_is_sealed_whole_or_not_at_all_wherever_its_owner_is_killed(
    settings: Settings, connection: Connection, stored: list[bytes]
) -> None:
    for step in (0, 6, FEW - 1):
        left = iter(range(step, -1, -1))

        async def killed(own: Connection, left: Iterator[int] = left) -> None:
            if not next(left):
                own.terminate()

        async with connected(settings, "killed") as own:
            with pytest.raises(asyncpg.InterfaceError):
                await new_owner(own, hold=killed)
        lookup = ClaimLookup(connection)
        await ClaimSealing(connection, lookup.filter, lambda: 2 * STORED, held).load()
        rows = await connection.fetch("SELECT part, first_index, end_index FROM log.sealed_claims ORDER BY 1, 2")
        ends = dict.fromkeys(range(FEW), 0)
        for part, first_index, end_index in rows:
            assert ends[part] == first_index
            ends[part] = end_index
        assert lookup.filter.ends() == list(ends.values())
    claims = await new_owner(connection)
    assert claims.possible(stored) == stored
    assert set(claims.ends()) == {9600}


async def test_claims_are_kept_until_the_stop_whatever_ends_the_connection(
    settings: Settings, connection: Connection, stored: list[bytes]
) -> None:
    """Meanwhile all are looked up."""
    stop, claims, opened = asyncio.Event(), ClaimFilter(WHOLE), list[Connection]()

    @asynccontextmanager
    async def own() -> AsyncIterator[Connection]:
        if len(opened) == 1:
            opened.append(opened[0])
            raise ConnectionRefusedError
        async with connected(settings, "claims") as one:
            opened.append(one)
            yield one

    keeping = asyncio.create_task(keep_claims(own, stop, claims, lambda: 2 * STORED, held, try_again_s=0.1))
    await until(lambda: len(opened) == 1 and claims.ends()[3] > 0, "the first parts are sealed")
    opened[0].terminate()
    await until(lambda: len(opened) == 2, "it was refused a connection")
    assert claims.possible([bytes(16), *stored]) == [bytes(16), *stored]
    await until(lambda: set(claims.ends()) == {WHOLE}, "all is sealed", patience_s=120.0)
    assert claims.possible([bytes(16), *stored]) == stored
    stop.set()
    await keeping


DAMAGE = {
    "a byte": "UPDATE log.sealed_claims SET fingerprints = set_byte(fingerprints, 65541, 1) WHERE part = 7",
    "a row": "DELETE FROM log.sealed_claims WHERE part = 7 AND first_index = 0",
    "a count": "UPDATE log.sealed_claims SET claims_count = claims_count + 1 WHERE part = 7",
    "another part's": "UPDATE log.sealed_claims s SET (claims_count, sha256, fingerprints) ="
    " (SELECT claims_count, sha256, fingerprints FROM log.sealed_claims o WHERE part = 8) WHERE part = 7",
    "of another range": "UPDATE log.sealed_claims SET end_index = 9599 WHERE part = 7",
    "beyond the log": "UPDATE log.sealed_claims SET end_index = 96000 WHERE part = 7",
    "a part": "DELETE FROM log.sealed_claims WHERE part = 7",
}


async def test_what_is_missing_or_damaged_is_sealed_again(connection: Connection, stored: list[bytes]) -> None:
    await new_owner(connection, run=WHOLE)
    whole = await connection.fetch("SELECT part, end_index, claims_count FROM log.sealed_claims ORDER BY 1, 2")
    for what, statement in DAMAGE.items():
        assert await connection.execute(statement) != "UPDATE 0"
        lookup = ClaimLookup(connection)
        lookup.filter.run_entries = RUN
        sealing = ClaimSealing(connection, lookup.filter, lambda: 2 * STORED, held)
        await sealing.take_over()
        assert lookup.filter.possible(stored) == stored, what
        others = [b"\x07" + bytes([n]) * 15 for n in range(100)] + [b"\x09" + bytes([n]) * 15 for n in range(100)]
        assert lookup.filter.possible(others) == others[:100], f"{what}: of this part alone all are possible"
        while await sealing.seal_next():
            assert set((await lookup.known(stored)).claims) == set(stored)
        assert len(lookup.filter.possible(others)) < 3
        again = await connection.fetch("SELECT part, end_index, claims_count FROM log.sealed_claims ORDER BY 1, 2")
        assert again == whole, what


async def test_a_duplicate_that_sealed_claims_lack_is_found_all_the_same(
    settings: Settings, connection: Connection
) -> None:
    """Nothing shows that they are of other claims: the hashes are right. The primary key does."""
    async with at_work(settings, connection, "health"):
        await send(settings, HEALTH_TOPIC, *(said(f"e{n}") for n in range(20)))
        await until_size(connection, 23)
    data = Fingerprints.of(b"").data
    await connection.executemany(
        "INSERT INTO log.sealed_claims VALUES ($1, 0, 23, 0, $2, $3)",
        [(part, hash_of(part, 0, 23, data), data) for part in range(PARTS)],
    )
    with capture_logs() as lines:
        async with running(registrar(settings)):
            await until(
                lambda: any(line["event"] == "claims are found in memory" for line in lines), "sealed claims are read"
            )
            await send(settings, HEALTH_TOPIC, said("e7"), said("new"))
            await until_size(connection, 24)
    assert await connection.fetchval("SELECT count(*) FROM log.sealed_claims") == 0, "they are thrown away"
    assert (await ids(connection))[-2:] == ["e19", "new"]
    duplicates = await connection.fetch('SELECT topic, "offset", of_index FROM log.duplicate')
    assert [tuple(row) for row in duplicates] == [(HEALTH_TOPIC, 20, 10)]
