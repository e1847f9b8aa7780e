"""A gateway without services: what a test does not hand in is absent. And answers without any gateway."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any, Final, cast

import httpx
import pytest
from fastapi import FastAPI

from infra.log.signed_note import LogKey
from infra.private_keys.key_files import KeyRing
from infra.settings import Settings
from producers.gateway.app import application
from producers.gateway.receiving import ReceiptSigner, Receiver
from producers.gateway.routes.pages import openapi_document
from producers.gateway.routes.parts import GatewayParts

NOTHING: Final = cast(Any, None)
SIGNER: Final = ReceiptSigner(KeyRing.of(LogKey("gateway.example", bytes(32))))


class Writer:
    """Kafka stores everything at once."""

    async def write(self, topic: str, values: list[bytes]) -> list[int]:
        return list(range(len(values)))


def receiver(**changes: int) -> Receiver:
    """`changes` are settings."""
    settings = Settings().model_copy(update=changes)
    return Receiver(settings, cast(Any, Writer()), SIGNER, lambda: datetime.now(UTC))


def parts(settings: Settings | None = None, access: object = None, receiver: Receiver = NOTHING) -> GatewayParts:
    return GatewayParts(settings or Settings(), cast(Any, access), receiver, SIGNER, NOTHING)


@cache
def without_services() -> FastAPI:
    return application(parts())


def openapi() -> dict[str, Any]:
    """The OpenAPI document, which takes a second to make."""
    return openapi_document(without_services())


def answering(monkeypatch: pytest.MonkeyPatch, answer: Callable[[httpx.Request], Any]) -> None:
    """What every client of a gateway that is made from now on is answered."""
    client = partial(httpx.AsyncClient, transport=httpx.MockTransport(answer))
    monkeypatch.setattr("producers.sdk.connection.httpx.AsyncClient", client)


async def answer_of(
    path: str,
    method: str = "GET",
    *,
    app: FastAPI | None = None,
    language: str = "en",
    headers: Mapping[str, str] | None = None,
) -> httpx.Response:
    """What a gateway answers; redirections are followed."""
    transport = httpx.ASGITransport(app or without_services())
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway", follow_redirects=True) as client:
        return await client.request(method, path, headers={"accept-language": language, **(headers or {})})
