"""Proofs of an entry of a log that `KEY` signs, and two later keys from 10 and from 15 entries on."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from consumers.console.pages.audit.entry import proof_state
from consumers.documents.document import document_of
from consumers.documents.log.entries import Proof
from infra.log.key_history import KeyHistory, sign_transition
from infra.log.proofs import inclusion_proof
from infra.log.signed_note import LogKey, checkpoint_text, sign_note
from tests.world.memory_log import KEY, MemoryLog, root_of, sample_entries

ENTRIES = sample_entries(20)
INDEX = 7
SECOND, THIRD, STRANGE, FORGER = (LogKey(KEY.name, bytes([number]) * 32) for number in (1, 2, 3, 4))
ELSEWHERE = LogKey("another.example/0", bytes(32))
UNTIL = datetime(2026, 12, 1, tzinfo=UTC)
STEPS = [
    sign_transition(old, new, UNTIL, (size, root_of(ENTRIES[:size])))
    for old, new, size in ((KEY, SECOND, 10), (SECOND, THIRD, 15))
]
ROTATIONS = KeyHistory.of(KEY.verifier, STEPS).text()


def signed(size: int, *keys: LogKey) -> str:
    return sign_note(checkpoint_text(KEY.name, size, root_of(ENTRIES[:size])), keys)


async def proof_of(note: str, size: int = 20, rotations: str = "") -> dict[str, Any]:
    """As `/v1/proofs/{index}` answers."""
    log = MemoryLog(ENTRIES)
    return {
        "index": INDEX,
        "entry": ENTRIES[INDEX].decode(),
        "leaf": encoded(log.levels[0][INDEX]),
        "size": size,
        "path": [encoded(step) for step in await inclusion_proof(log, INDEX, size)],
        "checkpoint": note,
        "rotations": rotations,
    }


def state_of(proof: dict[str, Any], pinned: LogKey | None) -> str:
    return proof_state(document_of(Proof, proof), None if pinned is None else pinned.verifier)


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


class Wrong(NamedTuple):
    """A checkpoint in the log's own name that no key signed which is known here and in force at its size."""

    note: str
    size: int = 20
    rotations: str = ROTATIONS
    pinned: LogKey = THIRD


def wrong_proofs() -> Iterator[Wrong]:
    """Anyone who can write the database can write such lines, with keys of their own or with none."""
    text, _, lines = (sound := signed(20, THIRD)).partition("\n\n")
    blob, own_id = base64.b64decode(lines.split()[2]), THIRD.verifier.key_id
    own_chain = sign_transition(STRANGE, FORGER, UNTIL, (10, b"\0" * 32)).note
    for pinned, rotations in ((KEY, ""), (KEY, own_chain), (THIRD, ROTATIONS)):
        yield Wrong(signed(20, STRANGE), 20, rotations, pinned)
        yield Wrong(signed(20, FORGER), 20, rotations, pinned)
        yield Wrong(f"{text}\n\n— {KEY.name} {encoded(b'any!' + bytes(64))}\n", 20, rotations, pinned)
    yield Wrong(sound, pinned=STRANGE)
    for size, key in ((11, KEY), (20, SECOND), (9, SECOND), (14, THIRD)):
        yield Wrong(signed(size, key), size)
    for rotations in (
        "no note",
        ROTATIONS.replace("\n10\n", "\n11\n"),
        ROTATIONS.replace("2026-12-01", "2027-12-01", 1),
        STEPS[1].note + "\n" + STEPS[0].note,
        STEPS[0].note.rpartition("— ")[0],
    ):
        yield Wrong(sound, rotations=rotations)
    yield Wrong(f"{text}\n\n— {KEY.name} {encoded(STRANGE.verifier.key_id + blob[4:])}\n")
    yield Wrong(f"{text}\n\n— {KEY.name} {encoded(own_id + blob[4:60])}\n")
    yield Wrong(f"{text}\n\n— {KEY.name} {encoded(own_id + bytes(64))}\n")
    yield Wrong(f"{text}\n\n— witness.example {lines.split()[2]}\n")
    yield Wrong(f"{text}\n\n")
    yield Wrong("no note")
