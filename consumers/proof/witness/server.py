"""The witness over HTTP: `POST /add-checkpoint`. Bodies are bounded in size and time."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Final

from consumers.proof.witness.witness import Witness, WitnessAnswer
from infra.process.http_server import running
from infra.process.tasks import stop_at_signals
from infra.witnesses.add_checkpoint import BODY_BYTES_MAX, PATH

BODY_MAX_S: Final = 10.0
CONNECTIONS_MAX: Final = 64
STOP_WAIT_S: Final = 5

Message = dict[str, Any]
"""A scope or a message of ASGI."""
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


async def until_stopped(witness: Witness, listener: socket.socket) -> None:
    """Answer until SIGTERM or SIGINT."""
    options = {"stop_wait_s": STOP_WAIT_S, "limit_concurrency": CONNECTIONS_MAX}
    async with running(application(witness), listener, **options) as server:
        await server.until(stop_at_signals())


def application(witness: Witness, clock: Callable[[], float] = time.time) -> Callable[..., Awaitable[None]]:
    """The ASGI application. `clock` gives seconds since 1970."""

    async def answer(scope: Message, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        if scope["path"] != f"/{PATH}":
            response = WitnessAnswer(HTTPStatus.NOT_FOUND, f"ask for POST /{PATH}\n")
        elif scope["method"] != "POST":
            response = WitnessAnswer(HTTPStatus.METHOD_NOT_ALLOWED, "ask with POST\n")
        else:
            response = await _added(witness, receive, clock)
        headers = [(b"content-type", response.type.encode()), (b"x-content-type-options", b"nosniff")]
        await send({"type": "http.response.start", "status": int(response.status), "headers": headers})
        await send({"type": "http.response.body", "body": response.body.encode()})

    return answer


async def _added(witness: Witness, receive: Receive, clock: Callable[[], float]) -> WitnessAnswer:
    try:
        async with asyncio.timeout(BODY_MAX_S):
            body = await _body(receive)
    except TimeoutError:
        return WitnessAnswer(HTTPStatus.REQUEST_TIMEOUT, "the body did not arrive in time\n")
    if body is None:
        return WitnessAnswer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a body has at most {BODY_BYTES_MAX} bytes\n")
    # Without a wait between the decision and the file: no other request can come in between.
    return witness.add_checkpoint(body, int(clock()))


async def _body(receive: Receive) -> bytes | None:
    """The body; None for one that is too large."""
    data = bytearray()
    while True:
        message = await receive()
        data += message.get("body", b"")
        if len(data) > BODY_BYTES_MAX:
            return None
        if not message.get("more_body", False):
            return bytes(data)
