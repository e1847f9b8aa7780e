"""A statement with the entries that prove it, written from a log in memory."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from consumers.explain.ledger.what_if import folded
from consumers.proof.audit import verify
from consumers.proof.audit.export import export
from consumers.revenue.rows import STATEMENT
from events.wire.entry import parse_entry
from infra.log.ports.bundle_texts import BundleText
from tests.world.memory_log import KEY, MemoryLog


async def write_proof(
    raw: Sequence[bytes],
    partnership_id: str,
    period: str,
    folder: Path,
    without: Callable[[int], bool] = lambda index: False,
    stated: Path | None = None,
    texts: Sequence[BundleText] = (),
) -> None:
    """As `prove_statement` writes it. A sender who leaves entries `without` states what the others give, or what the
    proof `stated` says.
    """
    entries = [(index, entry, parse_entry(index, entry)) for index, entry in enumerate(raw)]
    own = [row for row in entries if row[2].subject == f"partnership/{partnership_id}" and not without(row[0])]
    if stated is None:
        statement = next(row for row in folded(row[2] for row in own).rows(STATEMENT) if row.period == period)
        text = verify.as_json(asdict(statement)) + "\n"
    else:
        text = (stated / verify.STATEMENT).read_text(encoding="utf-8")
    closing = json.loads(text)["closing_index"]
    log = MemoryLog(list(raw))
    log.stored_texts = list(texts)

    async def chosen() -> AsyncIterator[tuple[int, bytes]]:
        for index, entry, _ in own:
            if index <= closing:
                yield index, entry

    await export(log, await log.checkpoint(), KEY.verifier, chosen(), folder)
    (folder / verify.STATEMENT).write_text(text, encoding="utf-8")
