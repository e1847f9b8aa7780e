"""Tessera's client and fsck, and Go's tlog and note, on the log as the gateway serves it.

Before and after growth and two rotations of its key, with a witness's cosignatures; one flipped bit is refused.
"""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from consumers.proof.cosigning.cosigning import Cosigning
from infra.log.reader import log_size
from infra.log.signed_note import LogKey, Verifier
from infra.postgres.connection import Connection
from infra.private_keys.key_files import load_keys, log_key_files
from infra.process import lease
from infra.process.leader_election import Term
from infra.settings import Settings
from infra.witnesses.cosignature import cosigner_of
from infra.witnesses.policy import parse_policy
from producers.agencies.tokens import TokenRequest, create_token, hash_key
from tests.audit_go.auditor import go_program
from tests.world import witness_process
from tests.world.logs_with_texts import service_suspended
from tests.world.lying_server import Request, answer, lying_server
from tests.world.records import said
from tests.world.registrars import found, registrar, rotate
from tests.world.senders import serving
from tests.world.topics import HEALTH_TOPIC, send
from tests.world.waits import running, until

pytestmark = [pytest.mark.accept, pytest.mark.timeout(600), pytest.mark.xdist_group("audit_go")]

COURT = LogKey("court.example/witness", b"w" * 32)


@dataclass
class Served:
    """A registrar and a gateway at work on one log, and the Go program that audits it."""

    settings: Settings
    connection: Connection
    program: Path
    folder: Path
    address: str = ""
    sent: int = 0
    checkpoints: list[Path] = field(default_factory=list)

    async def grow(self, entries: int) -> None:
        numbers = range(self.sent, self.sent + entries)
        events = [service_suspended(f"e{n}", "Sara") if n % 2 else said(f"e{n}") for n in numbers]
        await send(self.settings, HEALTH_TOPIC, *events)
        self.sent += entries

    async def until_served(self) -> None:
        """The served checkpoint is that of the whole log: signed, and cosigned by the witness."""

        async def whole() -> bool:
            size = await log_size(self.connection)
            async with httpx.AsyncClient(trust_env=False) as client:
                note = (await client.get(f"{self.address}checkpoint")).text
            return size >= self.sent and note.split("\n")[1:2] == [str(size)]

        await until(whole, "the whole log is served with its cosignatures", 120, every_s=0.2)

    async def refuses(self, key: Verifier, earlier: Path | None = None, address: str = "") -> str | None:
        """What the program says against the served log; None where it accepts it."""
        command = [
            str(self.program), address or self.address, key.vkey, str(self.folder / "token"),
            "-" if earlier is None else str(earlier), cosigner_of(COURT).vkey,
        ]  # fmt: skip
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=200)
        if done.returncode == 0:
            self.checkpoints.append(self.folder / f"checkpoint-{len(self.checkpoints)}")
            self.checkpoints[-1].write_text(done.stdout)
            return None
        assert done.returncode == 1, done.stderr
        return done.stderr

    def keys(self) -> list[Verifier]:
        return list(load_keys(log_key_files(self.settings)).history.keys)


@asynccontextmanager
async def cosigned(served: Served, *keys: Verifier, first_run: bool = False) -> AsyncIterator[None]:
    """A witness that knows these keys of the log, and the relay that asks it."""
    epoch = await lease.claim(served.connection, "relay", "test", served.settings)
    assert epoch is not None
    first, *others = keys
    witness = witness_process.running(served.folder / "court", COURT, first, first_run=first_run, also=others)
    with witness as running_witness:
        policy = parse_policy(f"witness court {cosigner_of(COURT).vkey} {running_witness.address}\nquorum court\n")
        asking = Cosigning(served.settings.acting_as("relay"), policy, Term(epoch, asyncio.Event()))
        task = asyncio.create_task(asking.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def served(settings: Settings, connection: Connection, tmp_path: Path) -> AsyncIterator[Served]:
    program = await asyncio.to_thread(go_program, tmp_path, Path(__file__).parent / "served")
    await found(settings, "health")
    settings = settings.model_copy(update={"checkpoint_interval_ms": 50, "gateway_port": 0})
    async with running(registrar(settings)), serving(settings) as gateway:
        token = await create_token(connection, hash_key(settings), TokenRequest("auditor", "court-of-audit", 1))
        (tmp_path / "token").write_text(token.token)

        async def has_key() -> bool:
            return log_key_files(settings).current.exists()

        await until(has_key, "the registrar has made the log's key")
        yield Served(settings, connection, program, tmp_path, f"http://127.0.0.1:{gateway.port}/log/0/")


async def test_other_peoples_clients_accept_the_served_log_through_growth_and_rotations(served: Served) -> None:
    (first,) = served.keys()
    async with cosigned(served, first, first_run=True):
        for entries in (300, 400):
            await served.grow(entries)
            await served.until_served()
            earlier = served.checkpoints[-1] if served.checkpoints else None
            assert await served.refuses(first, earlier) is None
        await rotate(served.settings)
        await served.grow(200)
        await served.until_served()
        _, second = served.keys()
        assert await served.refuses(first, served.checkpoints[-1]) is None, "in the overlap the first key signs too"
        assert await served.refuses(second) is None
    await rotate(served.settings, overlap_days=0)
    third = served.keys()[-1]
    await served.grow(150)
    async with cosigned(served, first, second, third):
        await served.until_served()
        assert "fsck" in (await served.refuses(second) or "")
        assert await served.refuses(third) is None
        await refused_with_one_flipped_bit(served, third)


async def refused_with_one_flipped_bit(served: Served, key: Verifier) -> None:
    headers = {"authorization": f"Bearer {(served.folder / 'token').read_text()}"}
    gateway = httpx.AsyncClient(base_url=served.address, headers=headers, trust_env=False)

    async def read(path: str) -> bytes | None:
        found = await gateway.get(path)
        return found.content if found.status_code == 200 else None

    async with gateway, lying_server(read) as proxy:
        assert await served.refuses(key, address=proxy.address) is None
        for path in ("checkpoint", "tile/0/001", "tile/entries/002"):

            def flip(request: Request, path: str = path) -> bytes | None:
                if request.path != path:
                    return None
                body = request.file or b""
                at = len(body) // 2
                return answer(body[:at] + bytes([body[at] ^ 4]) + body[at + 1 :])

            proxy.tells(flip)
            assert await served.refuses(key, address=proxy.address), path
            assert proxy.lies
