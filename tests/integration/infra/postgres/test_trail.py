"""The trail is evidence: each role writes its own rows under its own name, and the chain shows what was changed."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import asyncpg
import pytest

from consumers.console.accounts.accounts import Account, add_account
from consumers.proof.commitments.trail import read_chain
from infra.keys.seals import Seals
from infra.postgres.connection import Connection, connected
from infra.postgres.sql import read
from infra.postgres.trail import BEFORE_THE_FIRST, KINDS, Actor, add_to_trail, link_hash, row_bytes, trail_rows
from infra.principals import PRINCIPALS, database_role
from infra.settings import Settings

ODD = 'a "b" \\ / \b\t\n\f\r\x01\x1f\x7f é مرحبا \u2028 😀 </script>'


@pytest.fixture
async def known(connection: Connection) -> Connection:
    """A database with the account `desk`."""
    await add_account(connection, Seals(b"a key"), Account("desk", "office"), None)
    return connection


async def rows_of(connection: Connection) -> list[dict[str, Any]]:
    return [row async for row in trail_rows(connection)]


async def is_written(connection: Connection, command: str, by: Actor, event_ids: list[str] | None = None) -> bool:
    try:
        await add_to_trail(connection, command, by=by, event_ids=event_ids)
    except asyncpg.InsufficientPrivilegeError:
        return False
    return True


async def test_each_role_writes_only_its_own_kind_of_row(settings: Settings, known: Connection) -> None:
    words = sorted({word for kind in KINDS.values() for word in kind.commands})
    fields = {"account": Actor(account="desk"), "operator": Actor(operator="agency/health"), "event_ids": Actor()}
    written = []
    for principal in PRINCIPALS:
        if principal == "migrator":
            continue  # the owner, who is known by its own role
        kind = KINDS.get(principal)
        async with connected(settings.acting_as(principal), "test") as session:
            for word in words:
                may = await is_written(session, f"{word} something", Actor())
                assert may is (kind is not None and word in kind.commands), (principal, word)
                written += [database_role(principal)] * may
            for field, by in fields.items():
                ids = ["e1"] if field == "event_ids" else None
                may = await is_written(session, f"{kind.commands[0] if kind else 'x'} it", by, ids)
                assert may is (kind is not None and field in kind.columns), (principal, field)
                written += [database_role(principal)] * may
    assert [row["role"] for row in await rows_of(known)] == written


async def test_no_role_says_which_role_it_is_or_when_it_was_or_writes_the_chain_itself(settings: Settings) -> None:
    add = (
        "INSERT INTO platform.trail ({}, host, command) OVERRIDING SYSTEM VALUE VALUES ({}, 'h', 'webhooks disable x')"
    )
    own = [add.format(*pair) for pair in (("role", "'yesser_operator'"), ("at", "'2020-01-01'"), ("row_id", "7"))]
    chain = [
        "INSERT INTO platform.trail_link VALUES (1, NULL, sha256(''))",
        "SELECT platform.trail_bytes(NULL, 1)",
        "SELECT FROM platform.trail_link WHERE position = 0 FOR UPDATE",
        "DO $$ BEGIN LOCK TABLE platform.trail_link IN SHARE MODE; END $$",
    ]
    for principal in PRINCIPALS:
        if principal == "migrator":
            continue
        async with connected(settings.acting_as(principal), "test") as session:
            for statement in (*own, *chain):
                with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
                    await session.execute(statement)
    async with connected(settings.acting_as("console"), "test") as session:
        with pytest.raises(asyncpg.ForeignKeyViolationError):
            await add_to_trail(session, "sign in", by=Actor(account="nobody"))


async def test_the_database_chains_what_the_pure_function_chains(known: Connection) -> None:
    await add_to_trail(known, ODD, by=Actor(operator=ODD), event_ids=[ODD, "e2"])
    await add_to_trail(known, "sign in", by=Actor(account="desk"), event_ids=[])
    await add_to_trail(known, "agencies rotate health", by=Actor())
    before = BEFORE_THE_FIRST
    for position, row in enumerate(await rows_of(known), 1):
        bytes_ = "SELECT platform.trail_bytes(t, $1) FROM platform.trail t ORDER BY row_id OFFSET $1 - 1 LIMIT 1"
        assert await known.fetchval(bytes_, position) == row_bytes(position, row)
        before = link_hash(before, position, row)
        assert (row["position"], row["sha256"]) == (position, before.hex())
    assert position == 3


async def test_rows_are_chained_in_the_order_of_their_commits(settings: Settings, connection: Connection) -> None:
    """A row that is not committed keeps nobody waiting, and a reader that goes on from a position misses none."""
    operator, administrator = settings.acting_as("operator"), settings.acting_as("administrator")
    async with connected(operator, "test") as first, connected(administrator, "test") as second:
        transaction = first.transaction()
        await transaction.start()
        await add_to_trail(first, "keys rotate", by=Actor())
        await asyncio.wait_for(add_to_trail(second, "tokens revoke k", by=Actor()), 5)
        seen = [row["command"] async for row in trail_rows(connection)]
        await transaction.commit()
        later = [row["command"] async for row in trail_rows(connection, after=1)]
    assert (seen, later) == (["tokens revoke k"], ["keys rotate"])
    assert (await read_chain(connection)).fault is None

    async def write() -> None:
        async with connected(settings.acting_as("operator"), "test") as session:
            for number in range(25):
                await add_to_trail(session, f"keys rotate {number}", by=Actor())

    await asyncio.gather(*(write() for _ in range(4)))
    chain = await read_chain(connection, {102})
    assert (chain.position, chain.fault, len(chain.hashes)) == (102, None, 1), "many writers at once make one chain"


TAMPERED = {
    "a changed command": ("UPDATE platform.trail SET command = 'keys y' WHERE row_id = 2", "position 2, row 2"),
    "a changed time": ("UPDATE platform.trail SET at = at - interval '1 day' WHERE row_id = 2", "position 2, row 2"),
    "a changed role": ("UPDATE platform.trail SET role = 'yesser_delivery' WHERE row_id = 3", "position 3, row 3"),
    "a changed account": ("UPDATE platform.trail SET account = 'desk' WHERE row_id = 1", "position 1, row 1"),
    "events taken away": ("UPDATE platform.trail SET event_ids = NULL WHERE row_id = 3", "position 3, row 3"),
    "a removed row": ("DELETE FROM platform.trail WHERE row_id = 2", "position 2, row 2.* removed"),
    "a removed row with its link": (
        "DELETE FROM platform.trail_link WHERE position = 2; DELETE FROM platform.trail WHERE row_id = 2",
        "position 2: .* removed",
    ),
    "an inserted row": (
        "INSERT INTO platform.trail (host, command) OVERRIDING SYSTEM VALUE VALUES ('h', 'x')",
        "no position, row 4.* inserted",
    ),
    "exchanged rows": (
        "UPDATE platform.trail_link SET row_id = 9 - row_id WHERE position IN (1, 2);"
        " UPDATE platform.trail_link SET row_id = row_id - 6 WHERE position IN (1, 2)",
        "position 1, row 2",
    ),
}


async def test_a_row_that_was_changed_removed_or_inserted_is_named(known: Connection) -> None:
    for word in ("a", "b"):
        await add_to_trail(known, f"keys {word}", by=Actor(operator="night desk"))
    await add_to_trail(known, "publish service.launched", by=Actor(account="desk"), event_ids=["e1"])
    assert (await read_chain(known)).fault is None
    await known.execute("SET session_replication_role = replica")  # a superuser without triggers
    for kind, (change, named) in TAMPERED.items():
        transaction = known.transaction()
        await transaction.start()
        await known.execute(change)
        fault = (await read_chain(known)).fault
        await transaction.rollback()
        assert re.search(named, str(fault)), kind


async def test_rows_of_an_earlier_release_are_chained_by_the_migration(connection: Connection) -> None:
    name, earlier = "0047_trail_chain.sql", "INSERT INTO platform.trail (operator, host, command) VALUES ('o', 'h', $1)"
    await connection.execute(
        "DROP TABLE platform.trail_link, platform.trail CASCADE; DROP FUNCTION platform.chain_trail"
    )
    before = read("infra.migrations", "0013_access.sql")
    await connection.execute(before[before.index("CREATE TABLE platform.trail") :])
    for command in ("agencies add x", "sign in"):
        await connection.execute(earlier, command)
    await connection.execute(read("infra.migrations", name))
    rows = await rows_of(connection)
    assert [(row["position"], row["role"], row["command"]) for row in rows] == [
        (1, None, "agencies add x"),
        (2, None, "sign in"),
    ]
    await add_to_trail(connection, "sign in", by=Actor())
    chain = await read_chain(connection)
    assert (chain.position, chain.fault) == (3, None)
