"""What the gateway's routes work with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast

from fastapi import Request

from infra.http.callers import Caller
from infra.postgres import Connection, Pool
from infra.settings import Settings
from producers.gateway.access import Access
from producers.gateway.receipts import ReceiptSigner
from producers.gateway.receiving import Receiver


@dataclass(frozen=True, slots=True)
class Parts:
    """What the application works with."""

    settings: Settings
    access: Access
    receiver: Receiver
    signer: ReceiptSigner
    pool: Pool

    async def caller(self, request: Request) -> Caller:
        """Who sends this request. Raises `Problem`."""
        peer = request.client.host if request.client else ""
        return await self.access.admit(request.scope["headers"], peer)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection for reading, given back at the end."""
        async with self.pool.acquire() as held:
            # A proxy that the pool can take back; it does all that a connection does.
            yield cast(Connection, held)
