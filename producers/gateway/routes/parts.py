"""What the gateway's routes work with."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Annotated

from cachetools import LRUCache
from fastapi import Depends, Request, Response

from infra.http.callers import Caller
from infra.http.quotas import Quota
from infra.http.routes import RouteParts, answer_cache
from infra.postgres.connection import Connection, Pool
from infra.postgres.notifications import VERDICTS, Notifications
from infra.settings import Settings
from producers.gateway.access.callers import Access
from producers.gateway.acknowledgements import ReceiptSigner
from producers.gateway.http.protocol import CERTIFICATE
from producers.gateway.receiving import Receiver


@dataclass(slots=True)
class Parts:
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

    async def caller(self, request: Request) -> Caller:
        """Who sends this request; authenticated, and counted, once for each request. Raises `Problem`."""
        caller: Caller | None = getattr(request.state, "caller", None)
        if caller is None:
            caller = await self.access.authenticate(request.scope["headers"], host_of(request))
            request.state.sender = caller
            if self.settings.gateway_client_ca is not None:
                caller.require_certificate(certificate_name(request))
            request.state.caller = caller
        return caller

    def for_reading(self) -> RouteParts:
        """The parts of routes that read, also those of other rooms."""
        return RouteParts(self.settings, self.reads, self.caller, self.answers)

    def connection(self) -> AbstractAsyncContextManager[Connection]:
        """A connection for reading."""
        return self.for_reading().connection()


def host_of(request: Request) -> str:
    """The address of the request's sender: of the peer, or as a trusted proxy names it."""
    return request.client.host if request.client else ""


def certificate_name(request: Request) -> str | None:
    """The name in the client's certificate, if it showed one that is trusted."""
    found: dict[str, str] | None = request.scope.get("extensions", {}).get(CERTIFICATE)
    return None if found is None else found["name"]


async def _parts(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


PartsDep = Annotated[Parts, Depends(_parts)]
"""The parameter by which a route gets the application's parts."""
