"""A tlog-proof proves its entry with nothing but a vkey, and every change of a byte is noticed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infra.command_line.exit_codes import ExitCode, exit_code
from infra.log.merkle import leaf_hash
from infra.log.proof_file import InvalidProof, ProofFile, parse_proof_file
from infra.log.proofs import inclusion_proof
from infra.log.signed_note import LogKey, OtherKey, sign_note
from tests.every import every
from tests.world.memory_log import KEY, MemoryLog, sample_entries

ENTRIES = sample_entries(300)


async def proof_of(index: int, size: int = 300) -> ProofFile:
    log = MemoryLog(ENTRIES[:size])
    return ProofFile(index, ENTRIES[index], await inclusion_proof(log, index, size), log.note)


@every(("index", "size"), [(0, 1), (0, 2), (1, 2), (255, 256), (256, 300), (299, 300)])
async def test_a_proof_is_read_as_it_was_written_and_holds(index: int, size: int) -> None:
    proof = await proof_of(index, size)
    read = parse_proof_file(proof.text())
    assert read == proof
    checkpoint = read.verified(KEY.verifier)
    assert checkpoint.size == size
    assert leaf_hash(read.entry) == leaf_hash(ENTRIES[index])


async def test_the_text_is_that_of_the_specification_and_each_changed_byte_is_noticed() -> None:
    lines = (await proof_of(1, 2)).text().split("\n")
    assert lines[0] == "c2sp.org/tlog-proof@v1"
    assert lines[1].startswith("extra ")
    assert lines[2] == "index 1"
    assert len(lines[3]) == 44
    assert lines[4:8] == ["", KEY.name, "2", lines[7]]
    text = (await proof_of(299)).text().encode()
    for at in range(len(text)):
        changed = text[:at] + bytes([text[at] ^ 1]) + text[at + 1 :]
        with pytest.raises(InvalidProof):
            parse_proof_file(changed.decode("utf-8", "replace")).verified(KEY.verifier)


async def test_another_logs_key_proves_nothing_and_another_key_of_the_log_is_named_and_is_no_tampering() -> None:
    """After a rotation a proof from before it, or after it, is signed by the other key."""
    proof = await proof_of(5)
    with pytest.raises(InvalidProof, match="not one of"):
        proof.verified(LogKey("other.example/0", bytes(32)).verifier)
    with pytest.raises(OtherKey, match=KEY.verifier.key_id.hex()) as found:
        proof.verified(LogKey(KEY.name, bytes(32)).verifier)
    assert exit_code(found.value) == ExitCode.ANSWER_IS_NO
    both = sign_note(proof.note.partition("\n\n")[0] + "\n", [KEY, LogKey(KEY.name, b"n" * 32)])
    assert replace(proof, note=both).verified(KEY.verifier).size == 300, "in the overlap both sign"


@every(
    ("change", "reason"),
    [
        (lambda text: text.replace("@v1", "@v2"), "line 1"),
        (lambda text: text.replace("extra ", "extra"), "line 2"),
        (lambda text: text.replace("index 7", "index 07"), "line 3"),
        (lambda text: text.replace("index 7\n", "index 7\n" + "A" * 43 + "=\n" * 70), "hashes|base64"),
        (lambda text: text.replace("index 7\n", "index 7\nAAAA\n"), "32 bytes"),
        (lambda text: text[: text.index("\n\n")], "line 1"),
    ],
)
async def test_what_is_malformed_is_named_by_its_line(change, reason) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InvalidProof, match=reason):
        parse_proof_file(change((await proof_of(7)).text()))
