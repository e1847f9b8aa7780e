"""What the gateway's routes work with."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Annotated

from cachetools import LRUCache
from fastapi import Depends, Request, Response

from infra.http.rate_limits import Quota
from infra.http.routes import RouteParts, answer_cache
from infra.postgres.connection import Connection, Pool
from infra.postgres.notifications import VERDICTS, Notifications
from infra.settings import Settings
from producers.gateway.access.callers import Access
from producers.gateway.receiving import ReceiptSigner, Receiver


@dataclass(slots=True)
class GatewayParts:
    """What the application works with."""

    settings: Settings
    access: Access
    receiver: Receiver
    signer: ReceiptSigner
    reads: Pool
    """Connections for routes that read. Tokens are looked up on others."""

    stop: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the gateway stops: long polls are answered then."""
    verdicts: Notifications = field(default_factory=lambda: Notifications(VERDICTS))
    """Wakes long polls."""
    long_polls: Quota = field(init=False)
    answers: LRUCache[str, Response] = field(default_factory=answer_cache)

    def __post_init__(self) -> None:
        self.long_polls = Quota(self.settings.gateway_holder_long_polls_max)

    def for_reading(self) -> RouteParts:
        """The parts of routes that read, also those of other rooms."""
        return RouteParts(self.settings, self.reads, lambda request: self.access.caller(request), self.answers)

    def connection(self) -> AbstractAsyncContextManager[Connection]:
        """A connection for reading."""
        return self.for_reading().connection()


async def _parts(request: Request) -> GatewayParts:
    parts: GatewayParts = request.app.state.parts
    return parts


PartsDep = Annotated[GatewayParts, Depends(_parts)]
"""The parameter by which a route gets the application's parts."""
