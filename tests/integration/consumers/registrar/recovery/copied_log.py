"""A log whose database was copied in the middle of its life."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from infra.log.reader import log_size, read_tree
from infra.log.signed_note import checkpoint_text, sign_note
from infra.postgres.connection import Connection, connected
from infra.private_keys.key_files import load_keys, log_key_files
from infra.settings import Settings
from tests.world.logs_with_texts import service_suspended
from tests.world.records import LABOUR, registered, said, suspended, withheld
from tests.world.registrars import copy_of_database, found, registrar, until_shipped, until_size
from tests.world.topics import HEALTH_TOPIC, LABOUR_TOPIC, PLATFORM_TOPIC, make_topics, send
from tests.world.waits import running


@dataclass(frozen=True)
class Copied:
    """A log that went on after its database was copied: `settings` are those of the copy."""

    settings: Settings
    size_before: int
    size: int
    root: bytes
    rows: dict[str, list[asyncpg.Record]]


NAMES = ("Sara", "Huda", "Mona", "Reem", "Nora", "Lina")


def quiet(_: str, __: int) -> None:
    """Nobody watches."""


async def rows_of(connection: Connection) -> dict[str, list[asyncpg.Record]]:
    """Every row of the log but how its entries were cut into segments and runs."""
    tables = ("node", "event_id", "duplicate", "refusal", "dead_letter", "sequence_state", "sequence_month", "text")
    rows = {table: await connection.fetch(f"SELECT * FROM log.{table} t ORDER BY t::text") for table in tables}
    rows["run"] = await connection.fetch(
        "SELECT topic, first_offset + i AS at, first_index + i AS index "
        "FROM log.run, generate_series(0, entries_count - 1) i ORDER BY 1, 2"
    )
    return rows


@asynccontextmanager
async def copied(settings: Settings) -> AsyncIterator[Copied]:
    """Copy the database in the middle of the log's life, let the log go on, and give the older copy."""
    await found(settings, "health")
    first = [said(f"e{i}", sequence=i + 1) for i in range(38)]
    texts = [service_suspended(f"t{i}", NAMES[i]) for i in range(2)]
    await send(settings, HEALTH_TOPIC, *first, *texts, said("e1"), None)
    async with connected(settings, "watching") as watching, running(registrar(settings)):
        await until_size(watching, 44)
    async with copy_of_database(settings) as copy:
        async with connected(settings, "watching") as watching:
            await _go_on(settings, watching)
            size = await log_size(watching)
            root, rows = (await read_tree(watching, size)).root(), await rows_of(watching)
        yield Copied(copy, 44, size, root, rows)


async def sign_again(settings: Settings, connection: Connection, size: int) -> None:
    """The newest signature is that of an earlier size, as if the later ones had been lost with the disk."""
    key = load_keys(log_key_files(settings)).current
    note = sign_note(checkpoint_text(key.name, size, (await read_tree(connection, size)).root()), [key])
    (settings.log_folder / "checkpoint").write_text(note, encoding="utf-8")


async def _go_on(settings: Settings, watching: Connection) -> None:
    async with running(registrar(settings)):
        await make_topics(settings, "labour")
        await send(settings, PLATFORM_TOPIC, registered("labour"))
        for i in range(4):
            more = [said(f"m{i}.{j}", sequence=50 + i) for j in range(29)]
            new, again = service_suspended(f"t{i + 2}", NAMES[i + 2]), service_suspended(f"t{i}", NAMES[i])
            await send(settings, HEALTH_TOPIC, *more, new, again, said(f"e{i}", "other"), b"{")
            await send(settings, LABOUR_TOPIC, said(f"l{i}", agency=LABOUR), said(f"l{i}", agency=LABOUR))
        await send(settings, HEALTH_TOPIC, b"{", headers=[("n\x00", b"v")])
        await send(settings, HEALTH_TOPIC, said("last"))
        await until_size(watching, 44 + 1 + 4 * 33 + 2)
        await send(settings, PLATFORM_TOPIC, suspended("labour"))
        in_log = await watching.fetch("SELECT index, member FROM log.text ORDER BY index")
        await send(
            settings, PLATFORM_TOPIC, *(withheld(*text) for text in in_log[1:3])
        )  # before the copy, and behind it
        await until_size(watching, 44 + 1 + 4 * 33 + 2 + 3)
        await until_shipped(watching, await log_size(watching))
