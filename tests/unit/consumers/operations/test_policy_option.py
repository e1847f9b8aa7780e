"""`--policy` of the auditor's commands: too few cosignatures end with 76 and the names of the missing witnesses."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from consumers.audit.mirror import write_mirror
from infra.command_line.exit_codes import ExitCode, exit_code
from infra.log.proof_file import ProofFile
from infra.log.proofs import inclusion_proof
from infra.log.signed_note import LogKey
from infra.witnesses.cosignature import cosign, cosigner_of
from infra.witnesses.policy import NotWitnessed
from tests.unit.consumers.operations.auditor import Auditor
from tests.world.memory_log import KEY, MemoryLog, sample_entries

KEYS = [LogKey(f"{name}.example/witness", bytes([number]) * 32) for number, name in enumerate(("court", "bank"), 1)]
LINES = "".join(f"witness {key.name.partition('.')[0]} {cosigner_of(key).vkey} https://{key.name}/\n" for key in KEYS)
POLICY = f"{LINES}group both all court bank\nquorum both\n"


def cosigned(log: MemoryLog, keys: list[LogKey]) -> str:
    text = log.note.rpartition("\n\n")[0] + "\n"
    return log.note + "".join(cosign(key, text, 1_700_000_000) for key in keys)


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    file = tmp_path / "policy"
    file.write_text(POLICY)
    return file


def mirror(folder: Path, keys: list[LogKey]) -> Path:
    log = MemoryLog(sample_entries(300))
    log.note = cosigned(log, keys)
    asyncio.run(write_mirror(log, folder, KEY.verifier))
    return folder


@pytest.fixture
def auditor(tmp_path: Path) -> Auditor:
    return Auditor(tmp_path)


@pytest.mark.parametrize("command", ["check", "verify"])
def test_enough_cosignatures_pass_and_too_few_name_who_is_missing(
    tmp_path: Path, auditor: Auditor, policy: Path, command: str
) -> None:
    log = mirror(tmp_path / "log", KEYS)
    assert auditor.run(command, log, "--policy", policy).exit_code == 0
    few = mirror(tmp_path / "few", KEYS[:1])
    assert "missing: bank)" in auditor.fails(NotWitnessed, command, few, "--policy", policy)
    assert auditor.run(command, few).exit_code == 0, "without a policy nothing is asked for"


def test_a_mirror_is_not_written_from_a_log_with_too_few(tmp_path: Path, auditor: Auditor, policy: Path) -> None:
    few = mirror(tmp_path / "few", [])
    done = auditor.run("mirror", tmp_path / "copy", "--from", few, "--policy", policy)
    assert "missing: court, bank)" in str(done.exception)
    assert not (tmp_path / "copy").exists()
    log = mirror(tmp_path / "log", KEYS)
    assert auditor.run("mirror", tmp_path / "copy", "--from", log, "--policy", policy).exit_code == 0
    assert auditor.run("check", tmp_path / "copy", "--policy", policy).exit_code == 0


def test_a_proof_file_carries_the_cosignatures(tmp_path: Path, auditor: Auditor, policy: Path) -> None:
    log = MemoryLog(sample_entries(9))
    path = asyncio.run(inclusion_proof(log, 4, 9))
    for keys, passes in ((KEYS, True), (KEYS[1:], False)):
        file = tmp_path / "4.tlog-proof"
        file.write_text(ProofFile(4, log.stored[4], path, cosigned(log, keys)).text())
        done = auditor.run("check", file, "--policy", policy)
        assert (done.exit_code == 0) == passes, done.output
    assert "missing: court)" in str(done.exception)


def test_a_policy_that_cannot_be_read_is_no_tampering(tmp_path: Path, auditor: Auditor, policy: Path) -> None:
    policy.write_text("quorum everyone\n")
    done = auditor.run("check", mirror(tmp_path / "log", KEYS), "--policy", policy)
    assert done.exception is not None
    assert exit_code(done.exception) == ExitCode.ANSWER_IS_NO
    assert f"{policy}, line 1" in str(done.exception)
