"""Our witness and our relay work with transparency-dev's client and witness, and each refuses a second history."""

from __future__ import annotations

import subprocess
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from consumers.proof.cosigning.cosigning import Submitter
from infra.log.proofs import consistency_proof
from infra.log.signed_note import parse_checkpoint
from infra.witnesses.cosignature import MlDsaKey, WitnessKey, cosigner_of
from infra.witnesses.policy import Witness
from tests.audit_go.auditor import go_program
from tests.every import every
from tests.world.memory_log import KEY, MemoryLog, root_of
from tests.world.witness import FORK, LOG, WITNESS, request
from tests.world.witness_process import running

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("audit_go")]  # built once

KEYS = [WITNESS, MlDsaKey(WITNESS.name, WITNESS.seed)]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return go_program(tmp_path_factory.mktemp("go"), Path(__file__).parent / "witness")


@contextmanager
def served(program: Path, key: WitnessKey) -> Iterator[str]:
    command = [str(program), "serve", key.skey, KEY.verifier.vkey]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.kill()


@every("key", KEYS)
async def test_its_witness_cosigns_what_our_relay_sends(program: Path, key: WitnessKey) -> None:
    async def prove(old_size: int, size: int) -> list[bytes]:
        return await consistency_proof(MemoryLog(LOG), old_size, size)

    async def cosigned(submitter: Submitter, size: int, entries: list[bytes]) -> bool:
        note = KEY.sign_checkpoint(size, root_of(entries[:size]))
        return await submitter.cosignature(parse_checkpoint(note, KEY.verifier), prove) is not None

    with served(program, key) as address:
        async with httpx.AsyncClient() as client:
            witness = Witness("court", cosigner_of(key), address)
            relay = Submitter(client, witness, time.monotonic)
            for size in (7, 7, 15):
                assert await cosigned(relay, size, LOG)
            after_restart = Submitter(client, witness, time.monotonic)
            assert await cosigned(after_restart, 40, LOG)
            assert not await cosigned(after_restart, 40, FORK)


@every("key", KEYS)
def test_its_client_understands_every_answer_of_our_witness(program: Path, tmp_path: Path, key: WitnessKey) -> None:
    asked = [
        (request(0, 15), "<nil>|0|— court.example/witness "),
        (request(15, 15), "<nil>|0|— court.example/witness "),
        (request(0, 20), "old size != current|15|"),
        (request(15, 15, FORK), "roots do not match|0|"),
        (request(15, 30, FORK), "consistency proof invalid|0|"),
        (request(20, 15), "old size > current|0|"),
        (request(15, 30), "<nil>|0|— court.example/witness "),
    ]
    lines = [
        " ".join([str(row.old_size), *(b64encode(part).decode() for part in (row.note.encode(), *row.proof))])
        for row, _ in asked
    ]
    with running(tmp_path / type(key).__name__, key, KEY.verifier, first_run=True) as witness:
        command = [str(program), "send", witness.address]
        done = subprocess.run(command, input="\n".join(lines), capture_output=True, text=True, check=True, timeout=60)
    answers = done.stdout.splitlines()
    assert len(answers) == len(asked)
    for answer, (_, expected) in zip(answers, asked, strict=True):
        assert answer.startswith(expected)
