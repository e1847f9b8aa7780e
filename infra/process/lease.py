"""Leases: a row per role, renewed each second by database time, with an epoch that only grows.

The lease gives liveness: it selects the owner. The epoch, checked inside each transaction, gives safety: an owner that
was paused and continues finds its epoch superseded and writes nothing.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from infra.postgres.connection import Connection
from infra.postgres.sql import queries
from infra.settings import Settings

TABLE: Final = "platform.lease"
"""The table of the platform's leases. An agency's own database has the same table under another name."""


async def claim(connection: Connection, name: str, owner: str, settings: Settings, *, table: str = TABLE) -> int | None:
    """Acquire a free or expired lease; returns the new epoch, or None while another owner holds it."""
    epoch: int | None = await connection.fetchval(_sql(table)["claim"], name, owner, settings.lease_ms)
    return epoch


async def renew(connection: Connection, name: str, epoch: int, settings: Settings, *, table: str = TABLE) -> bool:
    """Extend the lease; False when it was taken over."""
    return bool(await connection.fetchval(_sql(table)["renew"], name, epoch, settings.lease_ms))


async def release(connection: Connection, name: str, epoch: int, *, table: str = TABLE) -> None:
    """Release the lease, so that a standby takes over at once."""
    await connection.execute(_sql(table)["release"], name, epoch)


@cache
def _sql(table: str) -> dict[str, str]:
    return {name: text.replace(TABLE, table) for name, text in queries("infra.process", "lease.sql").items()}
