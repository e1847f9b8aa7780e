"""An export of a log in memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from consumers.proof.audit.authenticated import AuthenticatedLog
from consumers.proof.audit.export import Format, export, selected_entries
from events.wire.entry import Entry
from infra.log.signed_note import LogKey
from tests.world.memory_log import KEY, MemoryLog


async def export_of(
    log: MemoryLog,
    folder: Path,
    first: int,
    end: int,
    form: Format = "ndjson",
    has: Callable[[Entry], bool] = lambda _: True,
    signer: LogKey = KEY,
) -> Path:
    checkpoint = await log.checkpoint()
    entries = selected_entries(AuthenticatedLog(log, checkpoint), first, end, has)
    await export(log, checkpoint, signer.verifier, entries, folder, form)
    return folder
