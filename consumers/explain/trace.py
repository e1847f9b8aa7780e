"""Folds entries one by one and records which of them changed a figure, with its value before and after.

Rows are loaded and saved by batch; within a batch each entry is folded alone, and the rows that it reads and writes are
compared. Memory is bounded by the batch and by the number of steps that are kept.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TypeVar

from consumers.documents.log.explanations import Change, EarlierSteps, Figures, Step, WholeStep
from consumers.explain.figures import Amount, Figure, Part, kept
from consumers.fold.consumer import Consumer
from consumers.offline.store import SqliteStore
from consumers.projections.handlers import activity
from consumers.projections.handlers.pending_events import PENDING_FACT
from events.wire.entry import Entry
from infra.postgres.unit_of_work import Key, Table, UnitOfWork

BATCH_ENTRIES: Final = 512
Row = TypeVar("Row")


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


class _Watch(UnitOfWork):
    """A unit of work that notes what the rows of watched tables give to each part before and after an entry."""

    def __init__(self, parts: Mapping[Table[Any], Sequence[int]], of: Sequence[Part]) -> None:
        super().__init__()
        self._parts = parts
        self._of = of
        self.before: dict[tuple[Table[Any], Key], list[Any]] = {}
        self.after: dict[tuple[Table[Any], Key], Any] = {}
        self.waited: list[int] = []

    def begin(self) -> None:
        """The next entry begins."""
        self.scratch = None  # the fold reads the rows again, so that their values before this entry are seen
        self.before.clear()
        self.after.clear()
        self.waited.clear()

    def changed(self) -> Iterator[tuple[int, Key, Any, Any]]:
        """Part, primary key, what the row gave and what it gives, of each written row."""
        for (table, key), row in self.after.items():
            before = self.before[table, key]
            for number, was in zip(self._parts[table], before, strict=True):
                yield number, key, was, self._given(number, row)

    def get(self, table: Table[Row], *key: Any) -> Row | None:
        row = super().get(table, *key)
        if table in self._parts:
            self._note(table, key, row)
        return row

    def rows(self, table: Table[Row]) -> Iterator[Row]:
        for row in super().rows(table):
            if table in self._parts:
                self._note(table, table.key_of(row), row)
            yield row

    def put(self, table: Table[Row], row: Row) -> None:
        if table in self._parts:
            key = table.key_of(row)
            self._note(table, key, self._known(table, key))
            self.after[table, key] = row
        super().put(table, row)

    def delete(self, table: Table[Row], *key: Any) -> None:
        row = self._known(table, key)
        if table in self._parts:
            self._note(table, key, row)
            self.after[table, key] = None
        if table is PENDING_FACT and row is not None:
            self.waited.append(row.index)
        super().delete(table, *key)

    def append(self, table: Table[Row], row: Row) -> None:
        if table in self._parts:
            key = table.key_of(row)
            self._note(table, key, None)
            self.after[table, key] = row
        super().append(table, row)

    def _known(self, table: Table[Any], key: Key) -> Any:
        """The row, or None where it is new: a fold writes some rows without reading them."""
        try:
            return super().get(table, *key)
        except KeyError:
            return None

    def _note(self, table: Table[Any], key: Key, row: Any) -> None:
        """Keep what the row gave before this entry. Folds change rows in place, but read each of them first."""
        if (table, key) not in self.before:
            self.before[table, key] = [self._given(number, row) for number in self._parts[table]]

    def _given(self, number: int, row: Any) -> Any:
        part = self._of[number]
        return kept(part.of(row)) if row is not None and part.counts(row) else None


class _Fold:
    """The fold of one consumer with the parts of the figures that its tables have."""

    def __init__(self, file: Path, consumer: Consumer, parts: Sequence[Part]) -> None:
        self.store = SqliteStore(file, consumer)
        self._of = parts
        self._parts: dict[Table[Any], list[int]] = {}
        self._fold = consumer.fold
        for number, part in enumerate(parts):
            if part.consumer is consumer:
                self._parts.setdefault(part.table, []).append(number)
        self._rows = _Watch(self._parts, parts)

    def load(self, entries: Sequence[Entry]) -> None:
        self._rows = _Watch(self._parts, self._of)
        self.store.load(self._rows, entries)

    def apply(self, entry: Entry, amounts: Sequence[Amount]) -> tuple[set[int], Sequence[int]]:
        """Fold one entry; the parts that changed, and the entries that waited for this one."""
        rows, touched = self._rows, set()
        rows.begin()
        self._fold(rows, [entry])
        for number, key, before, after in rows.changed():
            if before != after:
                amounts[number].change(key, before, after)
                touched.add(number)
        return touched, tuple(rows.waited)

    def save(self) -> None:
        self.store.save(self._rows)

    def stored(self, part: Part) -> Any:
        """What the stored rows give to a part."""
        found = Amount(part)
        for row in self.store.matching(part.table, part.where):
            found.change(part.table.key_of(row), None, part.of(row))
        return found.value

    def close(self) -> None:
        self.store.close()


class Tracer:
    """Folds batches of entries, in log order, and keeps the last `steps_max` steps of the figures."""

    def __init__(self, folder: Path, figures: Mapping[str, Figure], row: Part | None, steps_max: int) -> None:
        self._figures = figures
        self._steps_max = steps_max
        self._parts = list(
            dict.fromkeys([*(part for figure in figures.values() for part in figure.parts), *([row] if row else [])])
        )
        self._row_number = -1 if row is None else self._parts.index(row)
        self._amounts = [Amount(part) for part in self._parts]
        number_of = {part: number for number, part in enumerate(self._parts)}
        self._numbers = {name: [number_of[part] for part in figure.parts] for name, figure in figures.items()}
        consumers = {part.consumer.name: part.consumer for part in self._parts}
        self._folds = {
            name: _Fold(folder / f"{name}.sqlite", consumer, self._parts) for name, consumer in consumers.items()
        }
        values = {name: self._value(name) for name in figures}
        self.trace = Trace(values, dict(values), exists=row is None)

    def apply(self, entries: Sequence[Entry]) -> None:
        """Fold the next entries. Raises what a fold raises for entries that the registrar did not accept."""
        for fold in self._folds.values():
            fold.load(entries)
        for entry in entries:
            touched: set[int] = set()
            waited: dict[int, None] = {}
            for fold in self._folds.values():
                parts, facts = fold.apply(entry, self._amounts)
                touched |= parts
                if any(self._parts[number].table not in activity.TABLES for number in parts):  # counts take no facts
                    waited |= dict.fromkeys(facts)
            if touched:
                self.trace.exists = self.trace.exists or self._row_number in touched
                self._note(entry, touched, tuple(waited))
        for fold in self._folds.values():
            fold.save()

    def finish(self) -> Trace:
        """The trace with the figures as the stored rows give them."""
        totals = [self._folds[part.consumer.name].stored(part) for part in self._parts]
        for name, numbers in self._numbers.items():
            self.trace.stored[name] = self._figures[name].combine(*(totals[number] for number in numbers))
        return self.trace

    def store(self, consumer: Consumer) -> SqliteStore:
        """The rows of a consumer after these entries. Only those of the figures' scope are right."""
        return self._folds[consumer.name].store

    def close(self) -> None:
        for fold in self._folds.values():
            fold.close()

    def _note(self, entry: Entry, touched: set[int], waited: tuple[int, ...]) -> None:
        trace, changes = self.trace, {}
        for name, numbers in self._numbers.items():
            if touched.intersection(numbers):
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

    def _value(self, name: str) -> Any:
        return kept(self._figures[name].combine(*(self._amounts[number].value for number in self._numbers[name])))


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
def tracer(figures: Mapping[str, Figure], row: Part | None, steps_max: int) -> Iterator[Tracer]:
    """A tracer with its tables in a temporary folder."""
    with TemporaryDirectory() as folder:
        made = Tracer(Path(folder), figures, row, steps_max)
        try:
            yield made
        finally:
            made.close()
