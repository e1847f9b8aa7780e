"""A hostile server's answer takes no more memory than it may, with every client of the tree; the error says why."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest

from consumers.console.accounts.oidc import Oidc, ProviderAway
from consumers.console.accounts.tries import Sealer
from consumers.console.data.gateway import Gateway, Reply
from consumers.documents.campaigns.campaigns import Campaign
from consumers.proof.audit.port import CorruptBatch, http_port
from consumers.proof.cosigning.cosigning import REQUEST_MAX_S, NotCosigned, Submitter
from infra.http.answers import AnswerRefused, bound_answers
from infra.http.console_tokens import Sending
from infra.secret_files import CONSOLE_KEY, password
from infra.settings import Settings
from infra.witnesses.add_checkpoint import AddCheckpoint
from infra.witnesses.cosignature import cosigner_of
from infra.witnesses.policy import Witness
from producers.sdk import read_api
from producers.sdk.answers import NotAGateway
from producers.sdk.client import AgencyClient
from producers.sdk.problems import NotServed
from tests.every import every
from tests.world.memory_log import KEY
from tests.world.servers import connections
from tests.world.witness import WITNESS

PLAIN_BYTES = 128 << 20
PEAK_BYTES_MAX = 80 << 20
"""The largest bound is 32 MiB, for which httpx takes the parts and the whole."""


@cache
def bomb() -> bytes:
    return gzip.compress(bytes(PLAIN_BYTES), 1, mtime=0)


@asynccontextmanager
async def hostile(encoding: str, body: bytes) -> AsyncIterator[str]:
    """The address of a server that gives every request this answer."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nLog-Index: 1\r\nConnection: close\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        with suppress(ConnectionError):
            await writer.drain()

    async with connections(serve) as port:
        yield f"http://127.0.0.1:{port}"


async def auditor(address: str) -> None:
    async with http_port(f"{address}/log/0/", KEY.verifier) as port:
        await port.checkpoint()


async def relay(address: str) -> None:
    async with httpx.AsyncClient(timeout=REQUEST_MAX_S, verify=False) as client:
        submitter = Submitter(client, Witness("court", cosigner_of(WITNESS), address), lambda: 0.0)
        try:
            await submitter._post(AddCheckpoint(0, (), "note\n\n"))
        except AnswerRefused as error:
            raise NotCosigned from error


async def sign_in(address: str) -> None:
    oidc = Oidc(Settings(), address, Sealer(lambda: ["key"], "oidc"), lambda: datetime.now(UTC))
    try:
        await oidc.begin("https://console/", "/")
    finally:
        await oidc.close()


async def console(address: str) -> Reply:
    with TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder), console_gateway=address)
        password(settings.secrets_folder / CONSOLE_KEY[1], CONSOLE_KEY[0])
        gateway = Gateway(settings, lambda: datetime.now(UTC))
        try:
            return await gateway.ask(Sending("a", "office", "yesser"), "GET", "/v1/plan")
        finally:
            await gateway.close()


async def command(address: str) -> None:
    await asyncio.to_thread(read_api.Gateway(address, "token").document, Campaign, "/v1/campaigns/C")


async def sdk(address: str) -> None:
    async with AgencyClient(address, "token") as client:
        await client.validate([b"{}"])


CLIENTS: list[tuple[Callable[[str], Awaitable[object]], type[Exception]]] = [
    (auditor, CorruptBatch),
    (relay, NotCosigned),
    (sign_in, ProviderAway),
    (console, NotServed),
    (command, NotAGateway),
    (sdk, NotAGateway),
]


@every(("ask", "error"), CLIENTS)
async def test_no_client_unpacks_a_bomb(ask: Callable[[str], Awaitable[object]], error: type[Exception]) -> None:
    async with hostile("gzip", bomb()) as address:
        tracemalloc.start()
        try:
            with pytest.raises(error):
                await ask(address)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < PEAK_BYTES_MAX


@every(
    ("encoding", "body", "reason"),
    [
        ("br", b"x", "packed as 'br'"),
        ("gzip, gzip", b"x", "packed as 'gzip, gzip'"),
        ("identity", b"x" * 101, "larger than 100 bytes"),
        ("gzip", gzip.compress(b"x" * 101, mtime=0), "larger than 100 bytes"),
        ("gzip", b"no gzip at all", "not the gzip that it says"),
        ("gzip", gzip.compress(b"x" * 9, mtime=0)[:-1], "ends before its gzip"),
        ("gzip", gzip.compress(b"x", mtime=0) * 2, "goes on after the end"),
    ],
)
async def test_what_is_too_large_or_packed_otherwise_is_refused(encoding: str, body: bytes, reason: str) -> None:
    async with hostile(encoding, body) as address, httpx.AsyncClient(trust_env=False, verify=False) as client:
        bound_answers(client, 100)
        with pytest.raises(AnswerRefused, match=reason):
            await client.get(address)


@every(("encoding", "body"), [("identity", b"x" * 100), ("gzip", gzip.compress(b"x" * 100, mtime=0))])
async def test_an_answer_of_just_the_bound_is_read(encoding: str, body: bytes) -> None:
    async with hostile(encoding, body) as address, httpx.AsyncClient(trust_env=False, verify=False) as client:
        bound_answers(client, 100)
        assert (await client.get(address)).content == b"x" * 100
        assert client.headers["accept-encoding"] == "gzip"


async def test_a_token_to_this_machine_goes_through_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    async with hostile("identity", b'"a gateway"') as address, hostile("identity", b'"a proxy"') as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy)
        monkeypatch.delenv("NO_PROXY", raising=False)
        async with http_port(f"{address}/log/0/", KEY.verifier, "token") as port:
            assert await port._file("checkpoint", 100) == b'"a gateway"'
        async with AgencyClient(address, "token") as client:
            assert await client.read("/v1/plan") == (1, "a gateway")
        assert (await console(address)).document == "a gateway"
