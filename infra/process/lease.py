"""Leases: a row per role, renewed each second by database time, with an epoch that only grows.

The lease gives liveness: it selects the owner. The epoch, checked inside each transaction, gives safety: an owner that
was paused and continues finds its epoch superseded and writes nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from events.errors import Fenced
from infra.postgres.connection import Connection, closed_after
from infra.postgres.sql import queries
from infra.settings import Settings

TABLE: Final = "platform.lease"
"""The table of the platform's leases. An agency's own database has the same table under another name."""


@dataclass(frozen=True, slots=True)
class LeaseSpec:
    """The lease of one role: its name, how to connect to its database (given an application name), and its table."""

    name: str
    open: Callable[[str], Awaitable[Connection]]
    table: str = TABLE

    @property
    def process(self) -> str:
        """The process in metrics."""
        return self.name.removeprefix("consumer.")

    @asynccontextmanager
    async def connected(self, purpose: str) -> AsyncIterator[Connection]:
        """A connection for one purpose, closed at the end of the block, also where the database is gone by then."""
        async with closed_after(await self.open(f"{self.name} {purpose}")) as connection:
            yield connection


async def claim(connection: Connection, name: str, owner: str, settings: Settings, *, table: str = TABLE) -> int | None:
    """Acquire a lease that nobody holds; returns the new epoch, or None while another owner holds it.

    Waits for a transaction in which the old owner holds the lease.
    """
    epoch: int | None = await connection.fetchval(_sql(table)["claim"], name, owner, settings.lease_ms)
    if epoch is not None:
        await note_halt(connection, name, None, table=table)
    return epoch


async def renew(connection: Connection, name: str, epoch: int, settings: Settings, *, table: str = TABLE) -> bool:
    """Extend the lease; False when it was taken over."""
    return bool(await connection.fetchval(_sql(table)["renew"], name, epoch, settings.lease_ms))


async def hold(connection: Connection, name: str, epoch: int, *, table: str = TABLE) -> None:
    """Let no other owner take over before this transaction ends. Raises `Fenced` when one has."""
    if not await connection.fetchval(_sql(table)["hold"], name, epoch):
        raise Fenced(f"epoch {epoch} of the {name} was superseded")


async def require(spec: LeaseSpec, epoch: int) -> None:
    """Raise `Fenced` if another owner has taken over by now."""
    async with spec.connected("epoch") as connection:
        await hold(connection, spec.name, epoch, table=spec.table)


async def release(connection: Connection, name: str, epoch: int, *, table: str = TABLE) -> None:
    """Release the lease, so that a standby takes over at once."""
    await connection.execute(_sql(table)["release"], name, epoch)


async def owner(connection: Connection, name: str, *, table: str = TABLE) -> str | None:
    """Who works under a lease now."""
    owner: str | None = await connection.fetchval(_sql(table)["owner"], name)
    return owner


async def note_halt(connection: Connection, name: str, reason: str | None, *, table: str = TABLE) -> None:
    """Note why nobody works under a lease of the platform, for those who ask the database; None ends it."""
    if table == TABLE:
        await connection.execute(_sql(table)["halted"], name, reason)


async def holders(connection: Connection, settings: Settings, *, table: str = TABLE) -> Sequence[Mapping[str, Any]]:
    """Every lease: `name`, its last `owner` and `epoch`, and whether it is `held` now."""
    rows: Sequence[Mapping[str, Any]] = await connection.fetch(_sql(table)["holders"], settings.lease_ms)
    return rows


@cache
def _sql(table: str) -> dict[str, str]:
    return {name: text.replace(TABLE, table) for name, text in queries("infra.process", "lease.sql").items()}
