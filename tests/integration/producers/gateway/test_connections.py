"""What a client may do to a connection of the gateway: be slow, never end, go away, or speak no HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import cycle

import orjson
import pytest

from tests.world.events import encoded
from tests.world.senders import GatewayHarness, event

PATIENCE_S = 10
DRIP_S = 0.1


class Client:
    """One connection to the gateway, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, text: str) -> None:
        self._writer.write(text.encode())

    @asynccontextmanager
    async def dripping(self, *texts: str) -> AsyncIterator[None]:
        """Meanwhile these are sent, a little at a time, again and again, for as long as the gateway takes them."""

        async def drip() -> None:
            for text in cycle(texts):
                if self._writer.transport.is_closing():
                    return
                self.send(text)
                await asyncio.sleep(DRIP_S)

        task = asyncio.create_task(drip())
        try:
            yield
        finally:
            task.cancel()

    async def answer(self) -> tuple[int, str]:
        """Status and problem of the next answer."""
        async with asyncio.timeout(PATIENCE_S):
            head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
            at = head.index(b"content-length: ") + 16
            body = await self._reader.readexactly(int(head[at : head.index(b"\r\n", at)]))
        return int(head[9:12]), orjson.loads(body).get("type", "").rpartition("/")[2]

    async def is_closed(self) -> bool:
        """True once the gateway has closed the connection and said nothing more."""
        async with asyncio.timeout(PATIENCE_S):
            try:
                return await self._reader.read() == b""
            except ConnectionError:
                return True


@asynccontextmanager
async def connected(harness: GatewayHarness) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection("127.0.0.1", harness.gateway.port)
    try:
        yield Client(reader, writer)
    finally:
        writer.transport.abort()


def head_of(token: str, *lines: str) -> str:
    """The head of a structured request, but for its last line end."""
    given = ("host: x", f"authorization: Bearer {token}", "content-type: application/cloudevents+json")
    return "\r\n".join(("POST /v1/events HTTP/1.1", *given, *lines, ""))


@dataclass(frozen=True)
class Misuse:
    """What a client sends, then again and again a little at a time, and all that it is answered, 202 before the drip.
    Then its connection is closed."""

    name: str
    sent: str
    dripped: Sequence[str] = ()
    answers: Sequence[tuple[int, str]] = ()


STORED = (202, "")
SLOW = (408, "slow-request")
MALFORMED = (400, "malformed-request")


def misuses(token: str) -> list[Misuse]:
    body, head = encoded(event(1)).decode(), head_of(token)
    request = f"{head_of(token, f'content-length: {len(body.encode())}')}\r\n{body}"
    stranger = "POST /v1/events HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n"
    two_readings = (
        ("content-length: 2", "content-length: 3"),
        ("content-length: 2", "transfer-encoding: chunked"),
        ("content-length: two",),
        ("transfer-encoding: gzip",),
        ("no colon",),
        ("a\0b: c",),
    )
    return [
        Misuse("nothing", ""),
        Misuse("a head byte by byte", "", head, [SLOW]),
        Misuse("a second head, in the time of a first", request, head, [STORED, SLOW]),
        Misuse("a head ahead, which costs the request before it nothing", request + head, (), [STORED, SLOW]),
        Misuse("empty lines between requests", request, ["\r\n"], [STORED]),
        Misuse("a head without an end", f"{head}x-long: ", ["a" * 30_000], [(431, "head-too-large")]),
        Misuse("a slow body", f"{head_of(token, 'content-length: 100000')}\r\n{{", [" "], [SLOW]),
        Misuse(
            "trailers without an end",
            f"{head_of(token, 'transfer-encoding: chunked')}\r\n1\r\n{{\r\n0\r\n",
            ["x-more: 1\r\n"],
            [SLOW],
        ),
        Misuse("a body that goes on after its answer", stranger, [" "], [(401, "unauthenticated")]),
        Misuse(
            "a length far above the limit, and no byte of the body",
            f"{head_of(token, 'content-length: 20000000')}\r\n",
            (),
            [(413, "request-too-large")],
        ),
        *(Misuse(str(lines), f"{head_of(token, *lines)}\r\n{{}}", (), [MALFORMED]) for lines in two_readings),
    ]


async def test_what_is_slow_has_no_end_or_is_no_http_is_answered_and_its_connection_closed(
    harness: GatewayHarness, capsys: pytest.CaptureFixture[str]
) -> None:
    async def answered(misuse: Misuse) -> list[tuple[int, str] | str]:
        found: list[tuple[int, str] | str] = []
        async with connected(harness) as client:
            client.send(misuse.sent)
            if STORED in misuse.answers:
                found.append(await client.answer())
            async with client.dripping(*misuse.dripped):
                found += [await client.answer() for _ in misuse.answers[len(found) :]]
                found.append("closed" if await client.is_closed() else "more")
        return found

    cases = misuses(harness.token.token)
    found = await asyncio.gather(*map(answered, cases))
    assert dict(zip((case.name for case in cases), found, strict=True)) == {
        case.name: [*case.answers, "closed"] for case in cases
    }
    async with connected(harness) as client:
        client.send(head_of(harness.token.token, "content-length: 9") + "\r\n{")
        await asyncio.sleep(0.2)  # and it goes away in the middle
    assert (await harness.send(encoded(event(1)))).status_code == 202
    assert "a request failed" not in capsys.readouterr().out
