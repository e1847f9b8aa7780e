"""The answer to stored events says in which language it speaks of the others."""

from __future__ import annotations

import orjson
from starlette.requests import Request
from starlette.types import Message

from infra.http.callers import Caller
from producers.gateway.routes.publish import stored
from tests.every import every
from tests.world.events import HEALTH, encoded, initiative
from tests.world.gateways import parts, receiver

CALLER = Caller("key", "agency", "health", frozenset({"events:write"}), HEALTH)
GOOD, BAD = encoded(initiative()), encoded(initiative(id="b", time="soon"))


class Sender:
    """Every request is the agency's."""

    async def caller(self, request: Request) -> Caller:
        return CALLER


def sent(*events: bytes) -> Request:
    async def receive() -> Message:
        return {"type": "http.request", "body": b"[" + b",".join(events) + b"]", "more_body": False}

    headers = [(b"content-type", b"application/cloudevents-batch+json"), (b"accept-language", b"ar")]
    return Request({"type": "http", "headers": headers, "client": ("127.0.0.1", 1)}, receive)


@every(("events", "language"), [((GOOD, BAD), "ar"), ((GOOD,), None)])
async def test_the_language_is_that_of_the_faults(events: tuple[bytes, ...], language: str | None) -> None:
    answer = await stored(parts(access=Sender(), receiver=receiver()), sent(*events), partial=True)
    assert (answer.status_code, "refused" in orjson.loads(answer.body)) == (202, language is not None)
    assert answer.headers.get("content-language") == language
