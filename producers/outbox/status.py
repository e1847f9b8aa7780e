"""The outbox's status: waiting rows, the oldest one, the last row sent, and the rows that would be refused."""

from __future__ import annotations

from typing import Any, Final

import asyncpg

from infra.postgres.connection import Connection
from producers.outbox.outbox import SQL, require_outbox

REFUSED_SHOWN_MAX: Final = 20


async def read_status(connection: Connection) -> dict[str, Any]:
    """The answer of `yesser outbox status --json`. Raises `NoOutbox`."""
    await require_outbox(connection)
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        return {
            "waiting": await connection.fetchval(SQL["waiting_count"]),
            "oldest": _document(await connection.fetchrow(SQL["oldest"])),
            "last_sent": _document(await connection.fetchrow(SQL["last_sent"])),
            "refused": await connection.fetchval(SQL["refused_count"]),
            "refused_last": [dict(row) for row in await connection.fetch(SQL["refused"], REFUSED_SHOWN_MAX)],
            "relay": _document(await connection.fetchrow(SQL["relay"])),
        }


def _document(row: asyncpg.Record | None) -> dict[str, Any] | None:
    return None if row is None else dict(row)
