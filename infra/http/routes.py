"""How other rooms add routes to the gateway: by the entry-point group `yesser.routes`, without being imported by it.

Each entry is `name = module:factory`; the factory is called with `RouteParts` and returns a router.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Final, cast

from fastapi import APIRouter, Request

from infra.http.callers import Caller
from infra.http.problems import Problem
from infra.postgres.connection import Connection, Pool
from infra.settings import Settings

GROUP: Final = "yesser.routes"
CONNECTION_WAIT_S: Final = 2.0
"""Longest wait for a free connection; after it the request is told to come back."""

RELEASE_WAIT_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class RouteParts:
    """What routes that read work with. `reads` are connections of their own, so that reading starves nothing else."""

    settings: Settings
    reads: Pool
    caller: Callable[[Request], Awaitable[Caller]]
    """Who sends a request. Raises `Problem`: 401, 429, 503."""

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection for reading, given back at the end. Raises `Problem` (503) where all are taken."""
        try:
            held = await self.reads.acquire(timeout=CONNECTION_WAIT_S)
        except TimeoutError:
            raise Problem("overloaded", retry_after_s=1) from None
        try:
            # A proxy that the pool can take back; it does all that a connection does.
            yield cast(Connection, held)
        finally:
            await self.reads.release(held, timeout=RELEASE_WAIT_S)


def further_routers(parts: RouteParts) -> list[APIRouter]:
    """The routers that the rooms of this installation add, by name."""
    entries = sorted(entry_points(group=GROUP), key=lambda entry: entry.name)
    return [entry.load()(parts) for entry in entries]
