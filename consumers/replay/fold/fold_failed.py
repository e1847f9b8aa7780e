"""Names the entries at which a fold meets a bug of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from consumers.replay.fold.consumer import Consumer
from events.errors import Halt
from events.wire.entry import Entry
from infra.postgres.outbox import OutboxEvent
from infra.postgres.unit_of_work import Need, UnitOfWork
from infra.process.reaction import is_bug, trace_of


class FoldFailed(Halt, ValueError):
    """A fold raised an error that it does not know, which is a bug: nothing of these entries is written."""

    def __init__(self, consumer: Consumer, entries: Sequence[Entry], error: Exception) -> None:
        first, last = entries[0].index, entries[-1].index
        later = "" if first == last else f" (or a later one, up to {last})"
        super().__init__(
            f"entry {first}{later} meets a bug of this release in {consumer.name} ({trace_of(error)}). Nothing is"
            " skipped: install a release without the bug, which applies it (docs/runbook.md)"
        )


def naming_bugs(consumer: Consumer) -> Consumer:
    """The consumer, whose rules raise `FoldFailed` for an error that they do not know."""

    def required_keys(rows: UnitOfWork, entries: Sequence[Entry]) -> Iterator[Iterable[Need]]:
        with _named(consumer, entries):
            for needs in consumer.required_keys(rows, entries):
                yield _each(consumer, entries, needs)

    def fold(rows: UnitOfWork, entries: Sequence[Entry]) -> list[OutboxEvent]:
        with _named(consumer, entries):
            return consumer.fold(rows, entries)

    return replace(consumer, required_keys=required_keys, fold=fold)


def _each(consumer: Consumer, entries: Sequence[Entry], needs: Iterable[Need]) -> Iterator[Need]:
    with _named(consumer, entries):
        yield from needs


@contextmanager
def _named(consumer: Consumer, entries: Sequence[Entry]) -> Iterator[None]:
    """An unknown error of the code in the block, which only decides, as `FoldFailed`."""
    try:
        yield
    except Exception as error:
        if not is_bug(error):
            raise
        raise FoldFailed(consumer, entries, error) from error
