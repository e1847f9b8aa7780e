"""Who works and who stands by: a row per role, renewed each second by database time, with an epoch that only grows.

The lease decides who should work (liveness); the epoch, checked inside each transaction, decides whose writes count
(safety). An owner that was stopped and continued finds its epoch superseded and writes nothing.
"""

from __future__ import annotations

from typing import Final

from infra.postgres import Connection
from infra.settings import Settings
from infra.sql import queries

_SQL: Final = queries("infra", "lease.sql")


async def claim(connection: Connection, name: str, owner: str, settings: Settings) -> int | None:
    """Take a free or expired lease; returns the new epoch, or None while another owner holds it."""
    epoch: int | None = await connection.fetchval(_SQL["claim"], name, owner, settings.lease_ms)
    return epoch


async def renew(connection: Connection, name: str, epoch: int, settings: Settings) -> bool:
    """Extend the lease; False when it was taken over."""
    return bool(await connection.fetchval(_SQL["renew"], name, epoch, settings.lease_ms))


async def release(connection: Connection, name: str, epoch: int) -> None:
    """Give the lease up at once, so that a standby need not wait."""
    await connection.execute(_SQL["release"], name, epoch)
