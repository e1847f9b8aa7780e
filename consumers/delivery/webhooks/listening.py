"""`yesser webhooks listen`: a receiver on this machine that verifies each delivery and prints it.

Flows in: deliveries on loopback, and the endpoint's secret. Flows out: a line for each, and the answer that a receiver
owes: 204 for a delivery that the secret signed within five minutes, 400 for any other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from hmac import compare_digest
from typing import Final

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from consumers.delivery.secrets import sign
from events.values.bilingual import Bilingual
from infra.process.http_server import listening, running
from infra.process.tasks import stop_at_signals

BODY_BYTES_MAX: Final = 1 << 20
_CLOCKS_DIFFER_S_MAX: Final = 300
Show = Callable[[Bilingual], None]
Write = Callable[[str], None]


def receiver(secret: str, write: Write, show: Show, now: Callable[[], float] = time.time) -> ASGIApp:
    """The receiver. `secret` is the endpoint's `whsec_…`; `now` in seconds since 1970. `write` prints a delivery."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request, body = Request(scope, receive), b""
        with suppress(ClientDisconnect):
            async for piece in request.stream():
                body += piece
                if len(body) > BODY_BYTES_MAX:
                    break
            fault = fault_of(secret, request.headers, body, now())
            if fault is None:
                write(_delivery(request.headers, body))
            else:
                show(Bilingual("رُفض تسليم: {}", "Refused a delivery: {}").format(fault))
            await Response(status_code=400 if fault else 204)(scope, receive, send)

    return app


def fault_of(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> Bilingual | None:
    """Why a delivery is not to be believed; None where it is."""
    sent, stamp = headers.get("webhook-signature", "").split(), headers.get("webhook-timestamp", "")
    if not sent or not (stamp.isascii() and stamp.isdigit() and len(stamp) < 16):
        return Bilingual("لا توقيع فيه.", "It has no signature.")
    if abs(now - int(stamp)) > _CLOCKS_DIFFER_S_MAX:
        return Bilingual("وقته يبعد أكثر من خمس دقائق.", "Its time is more than five minutes away.")
    expected = sign(secret, headers.get("webhook-id", ""), int(stamp), body)
    if any(compare_digest(expected.encode(), one.encode()) for one in sent):
        return None
    return Bilingual("لا يوافق التوقيع هذا السر.", "The signature is not of this secret.")


def _delivery(headers: Mapping[str, str], body: bytes) -> str:
    """What came, in a line, and below it the event as it came."""
    marks = [name for name in ("yesser-example", "yesser-notice", "yesser-replay", "yesser-late") if name in headers]
    event = orjson.loads(body)
    return f"{'  '.join([headers['webhook-id'], event['type'], event['subject'], *marks])}\n{body.decode()}"


async def listen(port: int, secret: str, write: Write, show: Show) -> None:
    """Receive until SIGINT or SIGTERM. Raises `PortTaken`."""
    stop = stop_at_signals()
    with listening("127.0.0.1", port, "--port") as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        show(Bilingual("يستقبل على {}. لإيقافه اضغط ctrl-C.", "Listening on {}. ctrl-C stops it.").format(address))
        async with running(receiver(secret, write, show), listener):
            await stop.wait()
