"""One attempt against real receivers: hostile answers cost little time and memory, and no address inside is reached."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from consumers.delivery.webhooks.client import WebhookClient
from infra.settings import Settings
from tests.every import every
from tests.unit.consumers.delivery.receivers import OK, Answer, Received, answering, receiver, silence, status
from tests.unit.infra.tls.certificates import private_authority, server_context, server_for

TIMEOUT_S = 1.0
HEADERS = {"content-type": "application/cloudevents+json", "webhook-id": "a_b"}
BODY = '{"brief":"خدمة"}'.encode()


@pytest.fixture
async def client() -> AsyncIterator[WebhookClient]:
    """May reach 127.0.0.1 by that name only."""
    settings = Settings(webhook_hosts="127.0.0.1", webhook_timeout_s=TIMEOUT_S, webhook_connect_timeout_s=TIMEOUT_S / 2)
    async with WebhookClient(settings) as opened:
        yield opened


async def endless(_: Received, writer: asyncio.StreamWriter) -> None:
    """200 and 10 GB."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10000000000\r\n\r\n")
    while True:
        writer.write(b"x" * 65_536)
        await writer.drain()


async def endless_headers(_: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"x-filler: " + b"y" * 4_000 + b"\r\n")
        await writer.drain()


async def slow(_: Received, writer: asyncio.StreamWriter) -> None:
    """A byte of the head now and then."""
    for byte in b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok":
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.2)


async def slow_body(_: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nok")
    await silence(_, writer)


async def hang_up(_: Received, writer: asyncio.StreamWriter) -> None:
    writer.close()


CHUNKED_BOMB = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + b"ffffffffffffffff\r\nx" * 3


@every(
    ("answer", "expected"),
    [
        (answering(OK), (200, None)),
        (status(204), (204, None)),
        (status(500, body=b"no"), (500, None)),
        (status(410), (410, None)),
        (status(429, "retry-after: 7"), (429, None)),
        (endless, (200, None)),
        (slow_body, (200, None)),
        (endless_headers, (None, "bad-answer")),
        (answering(b"\x00\xff garbage\r\n\r\n"), (None, "bad-answer")),
        (answering(b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n"), (None, "bad-answer")),
        (answering(CHUNKED_BOMB), (200, None)),
        (silence, (None, "timeout")),
        (slow, (None, "timeout")),
        (hang_up, (None, "connection-lost")),
    ],
)
async def test_whatever_a_receiver_answers_is_an_outcome_within_bounds(
    client: WebhookClient, answer: Answer, expected: tuple[int | None, str | None]
) -> None:
    async with receiver(answer) as hook:
        memory, began = psutil.Process().memory_info().rss, time.monotonic()
        outcome = await client.post(hook.url(), HEADERS, BODY)
        assert (outcome.status, outcome.error) == expected
        assert len(outcome.answer) <= 1_024
        assert time.monotonic() - began < TIMEOUT_S + 2
        assert psutil.Process().memory_info().rss - memory < 64 << 20
        assert outcome.retry_after_s == (7 if outcome.status == 429 else None)
    assert hook.got[0].body == BODY


@every("code", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed_and_no_proxy_of_the_environment_is_used(
    client: WebhookClient, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    async with receiver() as inside, receiver(status(code, f"location: {inside.url()}")) as hook:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, inside.url(""))
        outcome = await client.post(hook.url(), HEADERS, BODY)
    assert (outcome.status, outcome.delivered) == (code, False)
    assert inside.connections == 0


@every(
    "host",
    ["localhost", "127.0.0.2", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "127.1", "0x7f000001", "0", "10.0.0.1"],
)
async def test_an_address_inside_is_refused_before_a_connection(client: WebhookClient, host: str) -> None:
    async with receiver() as hook:
        outcome = await client.post(
            hook.url(host=host).replace("http:", "https:").replace(str(hook.port), "443"), {}, BODY
        )
    assert outcome.status is None
    assert outcome.error in ("address-refused", "bad-url")
    assert hook.connections == 0


def found(address: str, port: int) -> tuple[Any, ...]:
    """An address as the resolver gives it."""
    return (socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))


async def test_a_name_inside_the_network_and_one_that_does_not_exist_have_one_answer(
    client: WebhookClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolve(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        if host == "payroll.inside.example":
            return [found("10.0.0.1", port)]
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    inside, nowhere = [
        await client.post(f"https://{name}.inside.example/", HEADERS, BODY) for name in ("payroll", "absent")
    ]
    assert (inside.status, inside.error, inside.answer) == (nowhere.status, nowhere.error, nowhere.answer)
    assert (inside.error, inside.cause, nowhere.cause) == ("address-refused", "address-refused", "name-not-found")


async def test_connections_go_to_checked_addresses(client: WebhookClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is public when it is first asked for, and then points inside."""
    answers = [["93.184.216.34"], ["127.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["::1"], ["169.254.169.254"]]
    connected: list[str] = []

    def resolve(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        return [found(address, port) for address in answers.pop(0)]

    async def connect(loop: Any, sock: socket.socket, address: tuple[str, int]) -> None:
        connected.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(type(asyncio.get_running_loop()), "sock_connect", connect)
    first = await client.post("https://rebinding.example/", HEADERS, BODY)
    assert (first.status, first.error) == (None, "cannot-connect")
    while answers:
        assert (await client.post("https://rebinding.example/", HEADERS, BODY)).error == "address-refused"
    assert connected == ["93.184.216.34"]


async def test_the_hosts_name_is_in_handshake_and_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = private_authority(tmp_path)
    settings = Settings(webhook_hosts="receiver.example", tls_ca=tmp_path / "ca.pem", webhook_timeout_s=TIMEOUT_S)
    resolved = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *rest, **named: resolved("127.0.0.1", *rest, **named))
    asked: list[str] = []
    for name, expected in (("receiver.example", (200, None)), ("other.example", (None, "certificate"))):
        context = server_context(server_for(own, name))
        context.sni_callback = lambda _, name, __: asked.append(str(name))
        async with receiver(ssl=context) as hook, WebhookClient(settings) as client:
            outcome = await client.post(f"https://receiver.example:{hook.port}/hook", HEADERS, BODY)
        assert (outcome.status, outcome.error) == expected
        assert all(received.headers["host"] == f"receiver.example:{hook.port}" for received in hook.got)
    assert asked == ["receiver.example"] * 2
