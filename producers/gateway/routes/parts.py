"""What the gateway's routes work with."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from infra.http.callers import Caller
from infra.http.routes import RouteParts
from infra.postgres.connection import Connection, Pool
from infra.settings import Settings
from producers.gateway.access.callers import Access
from producers.gateway.acknowledgements import ReceiptSigner
from producers.gateway.receiving import Receiver


@dataclass(frozen=True, slots=True)
class Parts:
    """What the application works with."""

    settings: Settings
    access: Access
    receiver: Receiver
    signer: ReceiptSigner
    reads: Pool
    """Connections for what is asked afterwards; who sends a request is looked up on others."""

    stop: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the gateway ends: what only waits is answered then."""

    async def caller(self, request: Request) -> Caller:
        """Who sends this request. Raises `Problem`."""
        peer = request.client.host if request.client else ""
        return await self.access.authenticate(request.scope["headers"], peer)

    def for_reading(self) -> RouteParts:
        """What routes that read are given, wherever they come from."""
        return RouteParts(self.settings, self.reads, self.caller)

    def connection(self) -> AbstractAsyncContextManager[Connection]:
        """A connection for reading."""
        return self.for_reading().connection()


async def _parts(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


PartsDep = Annotated[Parts, Depends(_parts)]
"""The parameter by which a route gets the application's parts."""
