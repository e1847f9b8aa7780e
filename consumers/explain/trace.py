"""Folds entries one by one and records which of them changed a figure, with its value before and after.

Rows are loaded and saved by batch; within a batch each entry is folded alone, and the rows that it reads and writes are
compared. Memory is bounded by the batch and by the number of steps that are kept.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from consumers.documents.formulas import Both, amounts_in, derived, in_words, leaves, result
from consumers.documents.log.explanations import Change, DerivedFigure, EarlierSteps, Figures, Step, WholeStep
from consumers.explain.figures import KeyFigures, Part, Sum, kept
from consumers.programme.projections.handlers import activity
from consumers.programme.projections.handlers.pending_events import PENDING_FACT
from consumers.proof.offline.store import SqliteStore
from consumers.replay.fold.apply import load
from consumers.replay.fold.consumer import Consumer
from consumers.replay.fold.memory import WatchedUnitOfWork
from events.values.bilingual import Bilingual
from events.wire.entry import Entry
from infra.postgres.unit_of_work import Table

BATCH_ENTRIES: Final = 512


@dataclass(slots=True)
class Trace:
    """What the entries made of the figures. `start` and `end`: field → value before the first and after the last step;
    `stored`: the same as `end`, read from the rows that the fold wrote. `exists`: whether the key's own row is there,
    or was."""

    start: Figures
    end: Figures
    stored: Figures = field(default_factory=dict)
    steps: deque[Step] = field(default_factory=deque)
    steps_count: int = 0
    earlier: EarlierSteps | None = None
    exists: bool = False


class _Rows(WatchedUnitOfWork):
    """Notes the facts that waited for an entry, too."""

    def __init__(self, watched: Mapping[Table[Any], Callable[[Any], Any]]) -> None:
        super().__init__(watched)
        self.waited: list[int] = []

    def begin(self) -> None:
        super().begin()
        self.waited = []

    def delete(self, table: Table[Any], *key: Any) -> None:
        if table is PENDING_FACT and (fact := self.tables[table].rows.get(key)) is not None:
            self.waited.append(fact.index)
        super().delete(table, *key)


class _Fold:
    """The fold of one consumer with the parts of the figures that its tables have."""

    def __init__(self, file: Path, consumer: Consumer, parts: Sequence[Part]) -> None:
        self.store = SqliteStore(file, consumer)
        self._consumer = consumer
        self._parts: defaultdict[Table[Any], list[Part]] = defaultdict(list)
        for part in parts:
            if part.consumer is consumer:
                self._parts[part.table].append(part)
        self._watched = {table: partial(_given, own) for table, own in self._parts.items()}
        self._rows = _Rows(self._watched)

    async def load(self, entries: Sequence[Entry]) -> None:
        self._rows = _Rows(self._watched)
        await load(self.store, self._rows, self._consumer, entries)

    def apply(self, entry: Entry, sums: Mapping[Part, Sum]) -> tuple[set[Part], list[int]]:
        """Fold one entry; the parts that changed, and the entries that waited for this one."""
        rows, touched = self._rows, set[Part]()
        rows.begin()
        self._consumer.fold(rows, [entry])
        for table, key, before, after in rows.changed():
            for part, was, now in zip(self._parts[table], before, after, strict=True):
                if was != now:
                    sums[part].change(key, was, now)
                    touched.add(part)
        return touched, rows.waited

    async def save(self) -> None:
        await self.store.write(self._rows)

    def stored(self, part: Part) -> Any:
        """What the stored rows give to a part."""
        total = Sum(part)
        for row in self.store.matching(part.table, part.where):
            total.change(part.table.key_of(row), None, part.of(row))
        return total.value


def _given(parts: Iterable[Part], row: Any) -> list[Any]:
    """What a row gives to each part; None to those for which it does not count."""
    return [kept(part.of(row)) if row is not None and part.counts(row) else None for part in parts]


class Tracer:
    """Folds batches of entries, in log order, and keeps the last `steps_max` steps of the figures."""

    def __init__(self, folder: Path, chosen: KeyFigures, steps_max: int) -> None:
        self.figures = chosen.figures
        self._steps_max = steps_max
        self._row = chosen.row
        parts = [*chosen.parts, *([] if chosen.row is None else [chosen.row])]
        self._sums = {part: Sum(part) for part in parts}
        self._parts_of = {name: set(leaves(figure)) for name, figure in self.figures.items()}
        consumers = {part.consumer.name: part.consumer for part in parts}
        self._folds = {name: _Fold(folder / f"{name}.sqlite", consumer, parts) for name, consumer in consumers.items()}
        values = {name: self._value(name) for name in self.figures}
        self.trace = Trace(values, dict(values), exists=chosen.row is None)

    async def apply(self, entries: Sequence[Entry]) -> None:
        """Fold the next entries. Raises what a fold raises for entries that the registrar did not accept."""
        for fold in self._folds.values():
            await fold.load(entries)
        for entry in entries:
            touched = set[Part]()
            waited: dict[int, None] = {}
            for fold in self._folds.values():
                parts, facts = fold.apply(entry, self._sums)
                touched |= parts
                if any(part.table not in activity.TABLES for part in parts):  # counts take no facts
                    waited |= dict.fromkeys(facts)
            if touched:
                self.trace.exists = self.trace.exists or self._row in touched
                self._note(entry, touched, tuple(waited))
        for fold in self._folds.values():
            await fold.save()

    def finish(self) -> Trace:
        """The trace with the figures as the stored rows give them."""
        totals = {part: self._folds[part.consumer.name].stored(part) for part in self._sums}
        self.trace.stored = {name: result(figure, totals.__getitem__) for name, figure in self.figures.items()}
        return self.trace

    def derived(self) -> dict[str, DerivedFigure]:
        """The figures that follow from several parts, each with its formula."""
        return {name: derived(name, figure, self._sum_of) for name, figure in self._formulas().items()}

    def labels(self) -> dict[str, Bilingual]:
        """What the amounts in these formulas are called."""
        amounts = [amounts_in(figure) for figure in self._formulas().values()]
        return {name: in_words(amount) for own in amounts for name, amount in own.items()}

    def store(self, consumer: Consumer) -> SqliteStore:
        """The rows of a consumer after these entries. Only those of the figures' scope are right."""
        return self._folds[consumer.name].store

    def close(self) -> None:
        for fold in self._folds.values():
            fold.store.close()

    def _note(self, entry: Entry, touched: set[Part], waited: tuple[int, ...]) -> None:
        trace, changes = self.trace, {}
        for name, parts in self._parts_of.items():
            if not touched.isdisjoint(parts):
                before, after = trace.end[name], self._value(name)
                if before != after:
                    changes[name] = Change(before, after)
                    trace.end[name] = after
        if not changes:
            return
        step = WholeStep(
            index=entry.index,
            recordedtime=entry.recorded,
            type=entry.type,
            agency=entry.agency,
            subject=entry.subject,
            id=entry.id,
            data=entry.data,
            waited=waited,
            changes=changes,
        )
        trace.steps.append(step)
        trace.steps_count += 1
        if len(trace.steps) > self._steps_max:
            _shorten(trace)

    def _formulas(self) -> dict[str, Both]:
        return {name: figure for name, figure in self.figures.items() if isinstance(figure, Both)}

    def _value(self, name: str) -> Any:
        return kept(result(self.figures[name], self._sum_of))

    def _sum_of(self, part: Part) -> Any:
        return self._sums[part].value


def _shorten(trace: Trace) -> None:
    """Drop the earliest step, and keep what it left."""
    first, earlier = trace.steps.popleft(), trace.earlier
    if earlier is None:
        index = first.index
        earlier = trace.earlier = EarlierSteps(count=0, first_index=index, last_index=index, after=dict(trace.start))
    earlier.count += 1
    earlier.last_index = first.index
    earlier.after |= {name: change.after for name, change in first.changes.items()}


@contextmanager
def tracer(chosen: KeyFigures, steps_max: int) -> Iterator[Tracer]:
    """A tracer with its tables in a temporary folder."""
    with TemporaryDirectory() as folder:
        made = Tracer(Path(folder), chosen, steps_max)
        try:
            yield made
        finally:
            made.close()
