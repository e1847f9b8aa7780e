"""A witness, a log with two histories, and the requests of both."""

from __future__ import annotations

import asyncio

from consumers.proof.witness.witness import WitnessState
from infra.log.proofs import consistency_proof
from infra.log.signed_note import LogKey
from infra.witnesses.add_checkpoint import AddCheckpoint
from tests.world.memory_log import KEY, MemoryLog, root_of, sample_entries

WITNESS = LogKey("court.example/witness", bytes(range(32)))
LOG = sample_entries(40)
FORK = [*LOG[:10], b'{"another":"history"}', *LOG[11:]]


class MemoryState(WitnessState):
    """A state without a file."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def read(self, *_: object) -> None:
        return None

    def write(self, note: str) -> None:
        self.notes.append(note)


def request(old: int, new: int, entries: list[bytes] = LOG, key: LogKey = KEY) -> AddCheckpoint:
    """A true log's request, or that of another history."""
    proof = asyncio.run(consistency_proof(MemoryLog(entries[:new]), old, new)) if old <= new else []
    return AddCheckpoint(old, proof, key.sign_checkpoint(new, root_of(entries[:new])))
