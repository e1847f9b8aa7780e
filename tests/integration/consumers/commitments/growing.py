"""A log that grows by what was committed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from consumers.registry import CONSUMERS
from events.wire.entry import entry_bytes
from infra.postgres.connection import Connection
from tests.world.logs import apply_live, write_log

ROOT = Path(__file__).parents[4]
RECORDED = "2026-11-25T08:00:00.000000Z"
ENTRIES_MIN = 100


async def register_outbox(connection: Connection, raw: Sequence[bytes]) -> list[bytes]:
    """The log with what the outbox held, as the registrar would have added it, applied by everyone."""
    rows = await connection.fetch("DELETE FROM platform.outbox RETURNING row_id, value")
    added = [entry_bytes(RECORDED, f"agency.platform.events/0/{number}", value) for number, value in sorted(rows)]
    return await grow(connection, raw, *added)


async def grow(connection: Connection, raw: Sequence[bytes], *entries: bytes) -> list[bytes]:
    """The log with these entries, applied by everyone."""
    grown = [*raw, *entries]
    await connection.execute("ALTER TABLE log.segment DISABLE TRIGGER append_only")
    await connection.execute("TRUNCATE log.segment")
    await write_log(connection, grown)
    for consumer in CONSUMERS.values():
        await apply_live(connection, consumer, grown)
    return grown
