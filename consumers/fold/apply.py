"""Applies a batch of entries to a consumer's tables in PostgreSQL.

Flows in: a connection inside a transaction whose `search_path` is the consumer's schema, and entries in log order.
Flows out: changed rows in those tables, and the platform events that the fold decided. The live loop, a rebuild and an
as-of view load the same rows; only the live loop writes the decided events to the outbox.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Final

from consumers.fold.consumer import Consumer
from consumers.fold.past_rows import KeepingUnitOfWork, KeptKeys
from consumers.fold.past_storage import keep
from events.errors import Halt, YesserError
from events.wire.entry import Entry
from infra.postgres.connection import Connection
from infra.postgres.outbox import OutboxEvent
from infra.postgres.row_storage import load as load_rows
from infra.postgres.row_storage import save
from infra.postgres.unit_of_work import Need, UnitOfWork
from infra.process.reaction import is_bug, trace_of

ROWS_MAX: Final = 24_000
"""A batch needs at most this many rows. A single entry may need somewhat more: events.md §3 limits how many facts are
pending for a project or service."""
ROWS_FIRST: Final = 6_000
"""The same before it is known how long rows take here."""
ROWS_MIN: Final = 2_000
"""The same however long they take; a batch of so many shows how long that is."""
TRANSIENT_COST: Final = 2
"""A row of a transient table counts as two: it is deleted too, and what it says changes others."""
SLICE_ENTRIES: Final = 512
"""Entries folded before the time is looked at."""
TURN_S: Final = 0.01
"""Seconds of folding before other tasks of the process run."""


class TooManyRows(YesserError):
    """The batch needs more rows than one transaction may load: apply it in two halves."""


class FoldFailed(Halt, ValueError):
    """A fold raised an error that it does not know, which is a bug: nothing of these entries is written."""

    def __init__(self, consumer: Consumer, entries: Sequence[Entry], error: Exception) -> None:
        first, last = entries[0].index, entries[-1].index
        later = "" if first == last else f" (or a later one, up to {last})"
        super().__init__(
            f"entry {first}{later} meets a bug of this release in {consumer.name} ({trace_of(error)}). Nothing is"
            " skipped: install a release without the bug, which applies it (docs/runbook.md)"
        )


@dataclass(slots=True)
class RowLimit:
    """How many rows the next batch may need: as many as the last large one would have needed a second for."""

    rows_max: int = ROWS_FIRST
    needed: int = 0
    """The rows of the batch under way."""

    def note(self, seconds: float) -> None:
        """The batch took so long."""
        if self.needed >= ROWS_MIN:
            self.rows_max = max(ROWS_MIN, min(ROWS_MAX, int(self.needed / seconds)))


async def apply(
    connection: Connection,
    consumer: Consumer,
    entries: Sequence[Entry],
    before_writing: Callable[[], None] | None = None,
    kept: KeptKeys | None = None,
    limit: RowLimit | None = None,
) -> list[OutboxEvent]:
    """Apply a batch to the tables in `search_path`, within the caller's transaction.

    `before_writing` is called between the fold and the writing of its last rows. `kept` and `limit` are those of the
    batches before. After an error, such as `TooManyRows`, roll the transaction back, and let `kept` forget.
    """
    rows = KeepingUnitOfWork(kept or KeptKeys()) if consumer.keeps_past else UnitOfWork()
    limit = limit or RowLimit(ROWS_MAX)
    limit.needed = await load(connection, rows, consumer, entries, limit.rows_max)
    decided: list[OutboxEvent] = []
    for part in rows.by_block(entries) if isinstance(rows, KeepingUnitOfWork) else [entries]:
        decided += await fold_in_turns(consumer, rows, part)
    rows.folded()
    if before_writing is not None:
        before_writing()
    if isinstance(rows, KeepingUnitOfWork):
        await keep(connection, rows)
    await save(connection, rows)
    return decided


async def fold_in_turns(consumer: Consumer, rows: UnitOfWork, entries: Sequence[Entry]) -> list[OutboxEvent]:
    """Fold a batch, and let other tasks run whenever it has taken `TURN_S`. One entry is never divided."""
    decided: list[OutboxEvent] = []
    turn_ends = time.monotonic() + TURN_S
    for start in range(0, len(entries), SLICE_ENTRIES):
        decided += fold(consumer, rows, entries[start : start + SLICE_ENTRIES])
        if time.monotonic() >= turn_ends:
            await asyncio.sleep(0)
            turn_ends = time.monotonic() + TURN_S
    return decided


def fold(consumer: Consumer, rows: UnitOfWork, entries: Sequence[Entry]) -> list[OutboxEvent]:
    """The decisions of a consumer's fold. Raises `FoldFailed`."""
    with _bug_named(consumer, entries):
        return consumer.fold(rows, entries)


async def load(
    connection: Connection,
    rows: UnitOfWork,
    consumer: Consumer,
    entries: Sequence[Entry],
    rows_max: int = ROWS_MAX,
) -> int:
    """Load the rows that a batch needs; returns how many. Raises `TooManyRows` if they are more than `rows_max`, and
    `FoldFailed`."""
    left = rows_max
    for needs in _required_keys(consumer, rows, entries):
        with _bug_named(consumer, entries):
            required_keys = list(needs if len(entries) == 1 else islice(needs, left + 1))
        if len(entries) > 1:
            left -= sum(TRANSIENT_COST if table.transient else 1 for table, _ in required_keys)
            if left < 0:
                raise TooManyRows
        await load_rows(connection, rows, required_keys)
    return rows_max - left


def _required_keys(consumer: Consumer, rows: UnitOfWork, entries: Sequence[Entry]) -> Iterator[Iterable[Need]]:
    with _bug_named(consumer, entries):
        yield from consumer.required_keys(rows, entries)


@contextmanager
def _bug_named(consumer: Consumer, entries: Sequence[Entry]) -> Iterator[None]:
    """An unknown error of the code in the block, which only decides, as `FoldFailed`."""
    try:
        yield
    except Exception as error:
        if not is_bug(error):
            raise
        raise FoldFailed(consumer, entries, error) from error
