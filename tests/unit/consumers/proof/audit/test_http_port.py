"""A log over HTTP is read and verified as a mirror is, and a server that lies or fails is found out."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from consumers.proof.audit import port as module
from consumers.proof.audit.mirror import write_mirror
from consumers.proof.audit.port import CHECKPOINT_BYTES_MAX, CorruptBatch, HttpPort, LogAway, TokenRefused, http_port
from events.errors import YesserError
from infra.command_line.exit_codes import ExitCode, exit_code
from infra.log.ports.port import MissingPart
from infra.log.ports.tree import WrongTree
from infra.log.signed_note import InvalidNote
from infra.tls.plaintext import PlaintextRefused
from tests.every import every
from tests.world.memory_log import KEY, MemoryLog, sample_entries, verified

SIZE = 600
Answer = Callable[[str, bytes], httpx.Response]


@pytest.fixture(autouse=True)
def _quick_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_WAIT_MIN_S", 0.001)
    monkeypatch.setattr(module, "_WAIT_MAX_S", 0.001)


@pytest.fixture
async def mirror(tmp_path: Path) -> Path:
    await write_mirror(MemoryLog(sample_entries(SIZE)), tmp_path, KEY.verifier)
    return tmp_path


@asynccontextmanager
async def served(folder: Path, lie: Answer | None = None) -> AsyncIterator[HttpPort]:
    """The folder behind HTTP; `lie` may answer instead, by path and true content."""

    async def handle(request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/log/0/")
        file = folder / path
        if not file.is_file():
            return httpx.Response(404)
        data = file.read_bytes()
        return httpx.Response(200, content=data) if lie is None else lie(path, data)

    transport = httpx.MockTransport(handle)
    async with httpx.AsyncClient(transport=transport, base_url="http://log.example/log/0/") as client:
        yield HttpPort(client, KEY.verifier)


def only(name: str, changed: Callable[[bytes], httpx.Response]) -> Answer:
    return lambda path, data: changed(data) if path == name else httpx.Response(200, content=data)


def replaced(name: str, change: Callable[[bytes], bytes]) -> Answer:
    return only(name, lambda data: httpx.Response(200, content=change(data)))


def refused(name: str, status: int) -> Answer:
    return only(name, lambda _: httpx.Response(status, headers={"location": "/"}))


def packed(name: str, change: Callable[[bytes], bytes]) -> Answer:
    """An answer that says that it is compressed."""
    headers = {"content-encoding": "gzip"}
    return only(name, lambda data: httpx.Response(200, headers=headers, stream=httpx.ByteStream(change(data))))


async def test_a_full_tile_stands_for_the_partial_one_that_it_replaced(mirror: Path, tmp_path: Path) -> None:
    async with served(mirror) as port:
        await port.checkpoint()
        grown = tmp_path / "grown"
        await write_mirror(MemoryLog(sample_entries(1000)), grown, KEY.verifier)
        for name in ("tile/0/002.p/88", "tile/entries/002.p/88"):
            (mirror / name).unlink()
        for name in ("tile/0/002", "tile/entries/002"):
            (mirror / name).write_bytes((grown / name).read_bytes())
        assert len(await port.entries(512, 88)) == 88
        assert len(await port.hashes(0, 512, 88)) == 88


HASHES, ENTRIES = "tile/0/001", "tile/entries/001"


@every(
    ("lie", "error", "named"),
    [
        (replaced("checkpoint", lambda _: b"<!doctype html><p>Sign in"), InvalidNote, "note"),
        (replaced("checkpoint", lambda _: b""), InvalidNote, "checkpoint"),
        (replaced("checkpoint", lambda data: data[:-1]), InvalidNote, "checkpoint"),
        (replaced("checkpoint", lambda _: b"\xff\xfe"), CorruptBatch, "checkpoint"),
        (replaced("checkpoint", lambda _: b"x" * (1 + CHECKPOINT_BYTES_MAX)), CorruptBatch, "larger"),
        (replaced(HASHES, lambda _: b""), CorruptBatch, HASHES),
        (replaced(HASHES, lambda data: data[:-1]), CorruptBatch, HASHES),
        (replaced(HASHES, lambda data: data + b"x"), CorruptBatch, HASHES),
        (replaced(HASHES, lambda data: data[:-32]), CorruptBatch, HASHES),
        (replaced(HASHES, lambda data: bytes(len(data))), WrongTree, "256"),
        (replaced(ENTRIES, lambda data: data[:-1]), CorruptBatch, ENTRIES),
        (replaced(ENTRIES, lambda _: b""), CorruptBatch, ENTRIES),
        (replaced(ENTRIES, lambda _: b"<!doctype html><p>Sign in"), CorruptBatch, ENTRIES),
        (refused(ENTRIES, 404), MissingPart, ENTRIES),
        (refused(ENTRIES, 401), TokenRefused, ENTRIES),
        (replaced(ENTRIES, lambda data: data.replace(b"x", b"y", 1)), WrongTree, "entry 256"),
        (packed(ENTRIES, lambda data: data), CorruptBatch, "gzip"),
        (packed(ENTRIES, lambda _: gzip.compress(bytes(20_000_000))), CorruptBatch, "larger"),
    ],
)
async def test_a_lying_server_is_named(mirror: Path, lie: Answer, error: type[YesserError], named: str) -> None:
    async with served(mirror, lie) as port:
        with pytest.raises(error, match=named):
            await verified(port)


@every("status", [408, 425, 429, 500, 501, 502, 503, 504, 505, 520, 522, 525, 530])
async def test_a_server_that_is_busy_or_away_is_asked_again_and_has_not_tampered(mirror: Path, status: int) -> None:
    asked = []

    def busy(_: bytes) -> httpx.Response:
        asked.append(status)
        return httpx.Response(status)

    async with served(mirror, only("checkpoint", busy)) as port:
        with pytest.raises(LogAway, match=f"answered {status}") as found:
            await port.checkpoint()
    assert (len(asked), exit_code(found.value)) == (module.TRIES_MAX, ExitCode.TRY_AGAIN)


@every("status", [204, 301, 302, 400, 405, 410])
async def test_what_no_log_answers_is_not_asked_for_again(mirror: Path, status: int) -> None:
    async with served(mirror, refused("checkpoint", status)) as port:
        with pytest.raises(CorruptBatch, match=f"answered {status}: this is not a log"):
            await port.checkpoint()


async def test_a_short_fault_is_waited_for(mirror: Path) -> None:
    answers = {"n": 0}

    def sometimes(path: str, data: bytes) -> httpx.Response:
        answers["n"] += 1
        return httpx.Response(503) if answers["n"] % 3 == 0 else httpx.Response(200, content=data)

    async with served(mirror, sometimes) as port:
        assert await verified(port) == SIZE


async def test_a_token_is_not_sent_in_plain_text_to_another_machine() -> None:
    with pytest.raises(PlaintextRefused, match="https://"):
        async with http_port("http://log.example", KEY.verifier, "token"):
            pass
