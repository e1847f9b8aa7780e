"""`--policy` of the auditor's commands: too few cosignatures end with 76 and the names of the missing witnesses."""

from __future__ import annotations

import asyncio
from pathlib import Path

from consumers.proof.audit.mirror import write_mirror
from infra.command_line.exit_codes import ExitCode, exit_code
from infra.log.proof_file import ProofFile
from infra.log.proofs import inclusion_proof
from infra.log.signed_note import LogKey
from infra.witnesses.cosignature import cosign, cosigner_of
from infra.witnesses.policy import NotWitnessed
from tests.unit.consumers.proof.commands.auditor import Auditor
from tests.world.memory_log import KEY, MemoryLog, sample_entries

KEYS = [LogKey(f"{name}.example/witness", bytes([number]) * 32) for number, name in enumerate(("court", "bank"), 1)]
LINES = "".join(f"witness {key.name.partition('.')[0]} {cosigner_of(key).vkey} https://{key.name}/\n" for key in KEYS)
POLICY = f"{LINES}group both all court bank\nquorum both\n"


def cosigned(log: MemoryLog, keys: list[LogKey]) -> str:
    text = log.note.rpartition("\n\n")[0] + "\n"
    return log.note + "".join(cosign(key, text, 1_700_000_000) for key in keys)


def mirror(folder: Path, keys: list[LogKey]) -> Path:
    log = MemoryLog(sample_entries(300))
    log.note = cosigned(log, keys)
    asyncio.run(write_mirror(log, folder, KEY.verifier))
    return folder


def test_enough_cosignatures_pass_and_too_few_name_who_is_missing(tmp_path: Path) -> None:
    auditor, policy = Auditor(tmp_path), tmp_path / "policy"
    policy.write_text(POLICY)
    log, few, none = (mirror(tmp_path / str(count), KEYS[:count]) for count in (2, 1, 0))
    for command in ("check", "verify"):
        assert auditor.run(command, log, "--policy", policy).exit_code == 0
        assert "missing: bank)" in auditor.fails(NotWitnessed, command, few, "--policy", policy)
        assert auditor.run(command, few).exit_code == 0, "without a policy nothing is asked for"

    copy = tmp_path / "copy"
    said = auditor.fails(NotWitnessed, "mirror", copy, "--from", none, "--policy", policy)
    assert "missing: court, bank)" in said
    assert not copy.exists()
    assert auditor.run("mirror", copy, "--from", log, "--policy", policy).exit_code == 0
    assert auditor.run("check", copy, "--policy", policy).exit_code == 0

    nine, file = MemoryLog(sample_entries(9)), tmp_path / "4.tlog-proof"
    path = asyncio.run(inclusion_proof(nine, 4, 9))
    file.write_text(ProofFile(4, nine.stored[4], path, cosigned(nine, KEYS)).text())
    fresh = ("--policy", policy, "--state", tmp_path / "fresh")
    assert auditor.run("check", file, *fresh).exit_code == 0, "a proof carries the cosignatures"
    file.write_text(ProofFile(4, nine.stored[4], path, cosigned(nine, KEYS[1:])).text())
    assert "missing: court)" in auditor.fails(NotWitnessed, "check", file, *fresh)

    policy.write_text("quorum everyone\n")
    done = auditor.run("check", log, "--policy", policy)
    assert done.exception is not None
    assert exit_code(done.exception) == ExitCode.ANSWER_IS_NO, "it cannot be read, which is no tampering"
    assert f"{policy}, line 1" in str(done.exception)
