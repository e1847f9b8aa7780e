"""The head of a request has a time and a size, on every server of the platform that is not the gateway."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, TypeAlias

import pytest

from infra.process import http_server
from infra.process.http_server import listening, running

REQUEST = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Reads the body, and answers `/slow` only when its client is away."""
    while (await receive()).get("more_body"):
        pass
    if scope["path"] == "/slow":
        await receive()
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


Streams: TypeAlias = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
async def streams(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Streams]:
    monkeypatch.setattr(http_server, "HEAD_TIMEOUT_S", 0.3)
    with listening("127.0.0.1", 0, "X") as listener:
        async with running(application, listener):
            reader, writer = await asyncio.open_connection(*listener.getsockname())
            yield reader, writer
            writer.close()


async def all_of(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(4):
        return await reader.read()


@pytest.mark.parametrize(
    ("sent", "answer"),
    [(b"", b""), (b"GET / HT", b"HTTP/1.1 408 "), (REQUEST[:-2], b"HTTP/1.1 408 "), (b"\r\n", b"HTTP/1.1 408 ")],
    ids=["nothing", "half a line", "half a head", "an empty line"],
)
async def test_a_connection_without_a_whole_head_is_closed(sent: bytes, answer: bytes, streams: Streams) -> None:
    reader, writer = streams
    writer.write(sent)
    found = await all_of(reader)
    assert found.startswith(answer)
    assert bool(found) == bool(answer)


async def test_bytes_that_come_one_at_a_time_or_after_an_answer_give_no_more_time(streams: Streams) -> None:
    reader, writer = streams
    writer.write(REQUEST)
    assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200 ")
    began, read = time.monotonic(), asyncio.create_task(all_of(reader))
    writer.write(b"\r\nGET / HTTP/1.1\r\n")
    while not read.done() and time.monotonic() - began < 3:
        writer.write(b"a")
        await asyncio.sleep(0.05)
    assert (await read).startswith(b"HTTP/1.1 408 ")
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("before", [b"", b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n"], ids=["first", "behind another"])
async def test_an_endless_head_is_closed(before: bytes, streams: Streams, monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = streams
    monkeypatch.setattr(http_server, "HEAD_TIMEOUT_S", 60)
    writer.write(before + b"GET / HTTP/1.1\r\nx: " + b"a" * 200_000)
    found = b""
    with suppress(ConnectionResetError):  # what it has sent and nobody read
        found = await all_of(reader)
    assert not found or (not before and found.startswith(b"HTTP/1.1 431 "))


async def test_an_answer_that_takes_long_is_not_cut_and_a_body_has_no_limit_of_a_head(streams: Streams) -> None:
    reader, writer = streams
    writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 300000\r\n\r\n" + b"a" * 100_000)
    await asyncio.sleep(0.6)
    writer.write(b"a" * 200_000)
    assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200 ")
