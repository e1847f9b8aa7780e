"""A log that is in PostgreSQL as the registrar would have written it, and consumers that have applied it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import orjson

from consumers.fold.apply import apply
from consumers.fold.consumer import Consumer
from events.wire.entry import parse_entry
from infra.log.bundle import BUNDLE
from infra.log.merkle import leaf_hash
from infra.postgres.connection import Connection
from infra.postgres.outbox import OutboxEvent
from tests.oracle.log import EntryDict

BATCH_ENTRIES = 97


def raw_entries(log: Iterable[EntryDict]) -> list[bytes]:
    """The entries' bytes."""
    return [orjson.dumps({name: entry[name] for name in ("recordedtime", "from", "event")}) for entry in log]


async def write_log(connection: Connection, raw: Sequence[bytes], begin: int = 0) -> None:
    """Put entries where replays read them, with their leaves. Those before `begin` are there already."""
    for first in range(begin, len(raw), BUNDLE):
        part = raw[first : first + BUNDLE]
        bundle = b"".join(len(entry).to_bytes(2, "big") + entry for entry in part)
        await connection.execute(
            "INSERT INTO log.segment VALUES ($1, $2, $3, $4)", first, len(part), bundle, b"".join(map(leaf_hash, part))
        )
    await connection.execute("UPDATE log.state SET size = $1", len(raw))


async def apply_live(
    connection: Connection, consumer: Consumer, raw: Sequence[bytes], *, without: frozenset[int] = frozenset()
) -> list[OutboxEvent]:
    """Apply the log to the live tables from where they stand, and return what was decided; the outbox is not written.

    Entries `without` are lost, as by a bug.
    """
    decided = []
    select = "SELECT position FROM platform.position WHERE consumer = $1"
    position = await connection.fetchval(select, consumer.name) or 0
    for first in range(position, len(raw), BATCH_ENTRIES):
        part = raw[first : first + BATCH_ENTRIES]
        entries = [parse_entry(first + i, entry) for i, entry in enumerate(part) if first + i not in without]
        async with connection.transaction():
            await connection.execute(f"SET LOCAL search_path = {consumer.schema}")
            decided += await apply(connection, consumer, entries)
            await connection.execute(
                "INSERT INTO platform.position (consumer, position, rules_version, fold_sha256) "
                "VALUES ($1, $2, $3, $4) ON CONFLICT (consumer) DO UPDATE SET position = excluded.position",
                consumer.name,
                first + len(part),
                consumer.version.number,
                consumer.version.sha256,
            )
    return decided
