"""What a client may do to a connection of the gateway: be slow, go on for ever, go away, or speak no HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import cycle

import orjson
import pytest

from tests.unit.events.samples import encoded
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
        return int(head[9:12]), orjson.loads(body).get("type", "")

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


def head_of(harness: GatewayHarness, *lines: str) -> str:
    """The head of a structured request, but for its last line end."""
    given = ("host: x", f"authorization: Bearer {harness.token.token}", "content-type: application/cloudevents+json")
    return "\r\n".join(("POST /v1/events HTTP/1.1", *given, *lines, ""))


def request_of(harness: GatewayHarness) -> str:
    body = encoded(event(1))
    return head_of(harness, f"content-length: {len(body)}") + "\r\n" + body.decode()


async def test_a_connection_that_says_nothing_is_closed(harness: GatewayHarness) -> None:
    async with connected(harness) as client:
        assert await client.is_closed()


async def test_a_head_that_comes_byte_by_byte_is_given_up(harness: GatewayHarness) -> None:
    async with connected(harness) as client, client.dripping(*head_of(harness)):
        assert await client.answer() == (408, "/problems/slow-request")


async def test_the_second_head_of_a_connection_has_the_same_time_as_the_first(harness: GatewayHarness) -> None:
    async with connected(harness) as client:
        client.send(request_of(harness))
        assert (await client.answer())[0] == 202
        async with client.dripping(*head_of(harness)):
            assert await client.answer() == (408, "/problems/slow-request")


async def test_a_head_sent_ahead_costs_the_request_before_it_nothing(harness: GatewayHarness) -> None:
    async with connected(harness) as client:
        client.send(request_of(harness) + head_of(harness))
        assert (await client.answer())[0] == 202
        assert await client.answer() == (408, "/problems/slow-request")


async def test_empty_lines_between_requests_keep_no_connection_open(harness: GatewayHarness) -> None:
    async with connected(harness) as client:
        client.send(request_of(harness))
        assert (await client.answer())[0] == 202
        async with client.dripping("\r\n"):
            assert await client.is_closed()


async def test_a_head_without_an_end_is_cut_off_by_its_size(harness: GatewayHarness) -> None:
    async with connected(harness) as client:
        client.send(head_of(harness) + "x-long: ")
        async with client.dripping("a" * 30_000):
            assert await client.answer() == (431, "/problems/head-too-large")


async def test_a_slow_body_is_given_up(harness: GatewayHarness) -> None:
    async with connected(harness) as client:
        client.send(head_of(harness, "content-length: 100000") + "\r\n{")
        async with client.dripping(" "):
            assert await client.answer() == (408, "/problems/slow-request")
            assert await client.is_closed()


async def test_trailers_without_an_end_do_not_outlive_the_bodys_time(harness: GatewayHarness) -> None:
    async with connected(harness) as client:
        client.send(head_of(harness, "transfer-encoding: chunked") + "\r\n1\r\n{\r\n0\r\n")
        async with client.dripping("x-more: 1\r\n"):
            assert await client.answer() == (408, "/problems/slow-request")


async def test_a_body_that_goes_on_after_its_answer_is_cut_off(harness: GatewayHarness) -> None:
    async with connected(harness) as client:
        client.send("POST /v1/events HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n")
        assert await client.answer() == (401, "/problems/unauthenticated")
        async with client.dripping(" "):
            assert await client.is_closed()


async def test_a_length_far_above_the_limit_is_refused_before_any_byte_of_the_body(harness: GatewayHarness) -> None:
    async with connected(harness) as client:
        client.send(head_of(harness, "content-length: 20000000") + "\r\n")
        assert await client.answer() == (413, "/problems/request-too-large")
        assert await client.is_closed()


async def test_what_is_no_http_or_has_two_readings_is_malformed(harness: GatewayHarness) -> None:
    for lines in (
        ("content-length: 2", "content-length: 3"),
        ("content-length: 2", "transfer-encoding: chunked"),
        ("content-length: two",),
        ("transfer-encoding: gzip",),
        ("no colon",),
        ("a\0b: c",),
    ):
        async with connected(harness) as client:
            client.send(head_of(harness, *lines) + "\r\n{}")
            assert await client.answer() == (400, "/problems/malformed-request"), lines
            assert await client.is_closed()


async def test_a_client_that_goes_away_in_the_middle_is_no_fault_of_ours(
    harness: GatewayHarness, capsys: pytest.CaptureFixture[str]
) -> None:
    async with connected(harness) as client:
        client.send(head_of(harness, "content-length: 9") + "\r\n{")
        await asyncio.sleep(0.2)
    await asyncio.sleep(0.2)
    assert (await harness.send(encoded(event(1)))).status_code == 202
    assert "a request failed" not in capsys.readouterr().out
