"""A small log and an auditor who holds exports of it."""

from __future__ import annotations

import asyncio

from consumers.proof.audit.pinned_checkpoint import KeptCheckpoint
from infra.log.key_history import KeyHistory
from infra.log.signed_note import LogKey
from infra.witnesses.cosignature import cosign
from tests.oracle.log import make_entry, make_event
from tests.unit.consumers.proof.audit.exports import export_of
from tests.unit.consumers.proof.commands.auditor import Auditor
from tests.world.entries import bytes_of
from tests.world.memory_log import KEY, MemoryLog


def entry(number: int, version: str = "1.0") -> bytes:
    service = f"S{number % 2}"
    data = {"service_id": service, "on": "2026-11-25"}
    event = make_event("service.launched", "health", f"service/{service}", data, f"e{number}")
    event |= {"specversion": version, "sequence": f"{number + 1:020d}"}
    return bytes_of(make_entry(number, event, "2026-11-25T08:00:00.000000Z"))


ENTRIES = [entry(number) for number in range(8)]


class Holder(Auditor):
    """An auditor who holds exports."""

    def export(self, entries: list[bytes], subject: str | None = None, witness: LogKey | None = None) -> str:
        """A new export of a log of these entries."""
        log = MemoryLog(entries)
        if witness is not None:
            log.note += cosign(witness, log.note.rpartition("\n\n")[0] + "\n", 1_700_000_000)
        folder = self.folder / f"export {len(list(self.folder.iterdir()))}"
        chosen = export_of(log, folder, 0, len(entries), has=lambda entry: subject in (None, entry.subject))
        return str(asyncio.run(chosen))

    def accept(self, entries: list[bytes], key: LogKey = KEY) -> None:
        note = key.sign_checkpoint(len(entries), MemoryLog(entries).root)
        KeptCheckpoint(self.checkpoints, KEY.verifier).write(KeyHistory((key.verifier,)).parse_checkpoint(note))
