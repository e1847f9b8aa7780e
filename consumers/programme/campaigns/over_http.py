"""Campaigns read through the gateway, with a token: what the commands show to people without the database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from msgspec import Struct, ValidationError

from consumers.documents.document import document_of
from infra.settings import Settings
from infra.tls.client import NotTrusted
from infra.tls.plaintext import refuse_plain_http
from producers.sdk.answers import NotAGateway
from producers.sdk.client import AgencyClient
from producers.sdk.connection import ClientLimits
from producers.sdk.problems import GatewayProblem, NotServed

_LIMITS: Final = ClientLimits(time_limit_s=20.0, tries_max=1)
"""A command tries once: where the gateway is away it ends with that error at once."""
_ADDED: Final = {"more_history": False}
"""What older gateways do not say."""
_NOT_FOUND: Final = 404
D = TypeVar("D", bound=Struct)
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway's address, and the token that it is read with. Its methods raise what `AgencyClient` raises."""

    address: str
    token: str = field(repr=False)

    def rows(self, document: type[D], path: str, parameters: Mapping[str, str]) -> list[D] | None:
        """All pages of a list; None where the gateway has no such thing."""
        rows = asyncio.run(self._read(lambda client: client.read_rows(path, parameters)))
        return None if rows is None else [self._document(document, row) for row in rows]

    def document(self, document: type[D], path: str) -> D | None:
        """One document; None where the gateway has no such thing."""
        read = asyncio.run(self._read(lambda client: client.read(path)))
        return None if read is None else self._document(document, read[1])

    async def _read(self, ask: Callable[[AgencyClient], Awaitable[R]]) -> R | None:
        """Raises `PlaintextRefused` if the token would leave this machine without encryption."""
        settings = Settings()
        refuse_plain_http(settings, "gateway", "--gateway", self.address)
        async with AgencyClient.of(settings, self.address, self.token, _LIMITS) as client:
            try:
                return await ask(client)
            except GatewayProblem as error:
                if error.problem.status == _NOT_FOUND:
                    return None
                raise
            except (NotServed, NotTrusted) as error:
                raise NotServed(f"{self.address}: {error}") from error

    def _document(self, document: type[D], answer: Mapping[str, Any]) -> D:
        try:
            return document_of(document, {**_ADDED, **answer})
        except ValidationError as error:
            raise NotAGateway(f"{self.address} answered what this version cannot show: {error}") from None
