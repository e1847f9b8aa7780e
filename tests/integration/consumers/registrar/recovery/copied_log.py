"""A log whose database was copied in the middle of its life."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from infra.log.reader import log_size, read_tree
from infra.postgres.connection import Connection, connect
from infra.settings import Settings
from tests.corners import drop_database, execute
from tests.stack import superusers_address, with_database
from tests.unit.consumers.registrar.readings import LABOUR, registered, said, suspended
from tests.world.registrars import found, registrar, until_shipped, until_size
from tests.world.topics import HEALTH_TOPIC, LABOUR_TOPIC, make_topics, send
from tests.world.waits import running

TABLES = (
    "segment",
    "node",
    "event_id",
    "run",
    "duplicate",
    "refusal",
    "dead_letter",
    "sequence_state",
    "sequence_month",
)


@dataclass(frozen=True)
class Copied:
    """A log that went on after its database was copied: `settings` are those of the copy."""

    settings: Settings
    size_before: int
    size: int
    root: bytes
    rows: dict[str, list[asyncpg.Record]]


def quiet(_: str, __: int) -> None:
    """Nobody watches."""


async def rows_of(connection: Connection) -> dict[str, list[asyncpg.Record]]:
    """Every row of the log but how its entries were cut into segments and runs."""
    found_rows = {
        table: await connection.fetch(f"SELECT * FROM log.{table} t ORDER BY t::text")
        for table in TABLES
        if table not in ("segment", "run")
    }
    found_rows["run"] = await connection.fetch(
        "SELECT topic, first_offset + i AS at, first_index + i AS index "
        "FROM log.run, generate_series(0, entries_count - 1) i ORDER BY 1, 2"
    )
    return found_rows


@asynccontextmanager
async def copied(settings: Settings) -> AsyncIterator[Copied]:
    """Copy the database in the middle of the log's life, let the log go on, and give the older copy."""
    assert settings.postgres is not None
    name = settings.postgres.rpartition("/")[2]
    await found(settings, "health")
    await send(settings, HEALTH_TOPIC, *(said(f"e{i}", sequence=i + 1) for i in range(40)), said("e1"), None)
    watching = await connect(settings, "watching")
    async with running(registrar(settings)):
        await until_size(watching, 44)
    size_before = await log_size(watching)
    await watching.close()
    await execute(superusers_address(settings), f"CREATE DATABASE {name}_copy TEMPLATE {name}")
    try:
        await _go_on(settings)
        watching = await connect(settings, "watching")
        size = await log_size(watching)
        root, rows = (await read_tree(watching, size)).root(), await rows_of(watching)
        await watching.close()
        copy = settings.model_copy(update={"postgres": with_database(settings.postgres, f"{name}_copy")})
        yield Copied(copy, size_before, size, root, rows)
    finally:
        await drop_database(superusers_address(settings), f"{name}_copy")


async def _go_on(settings: Settings) -> None:
    watching = await connect(settings, "watching")
    async with running(registrar(settings)):
        await make_topics(settings, "labour")
        await send(settings, "agency.platform.events", registered("labour"))
        for i in range(4):
            more = [said(f"m{i}.{j}", sequence=50 + i) for j in range(30)]
            await send(settings, HEALTH_TOPIC, *more, said(f"e{i}"), said(f"e{i}", "other"), b"{")
            await send(settings, LABOUR_TOPIC, said(f"l{i}", agency=LABOUR), said(f"l{i}", agency=LABOUR))
        await send(settings, HEALTH_TOPIC, b"{", headers=[("n\x00", b"v")])
        await send(settings, HEALTH_TOPIC, said("last"))
        await until_size(watching, 44 + 1 + 4 * 33 + 2)
        await send(settings, "agency.platform.events", suspended("labour"))
        await until_size(watching, 44 + 1 + 4 * 33 + 2 + 1)
        await until_shipped(watching, await log_size(watching))
    await watching.close()
