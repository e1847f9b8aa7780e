"""The lease of the delivery process: each part writes under its epoch only."""

from __future__ import annotations

from typing import Final

from infra.postgres.connection import Connection
from infra.process import lease

LEASE: Final = "delivery"


async def hold(connection: Connection, epoch: int) -> None:
    """Let no other process take over before this transaction ends. Raises `Fenced` when one has."""
    await lease.hold(connection, LEASE, epoch)
