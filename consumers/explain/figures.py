"""A figure as a function of rows: which rows of which tables it is made of, and how.

The same parts are read from a fold of the log and from the live tables, so that both can be compared. A figure is a
part, or a formula over some.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final, Literal

from consumers.documents.formulas import Expression, leaves
from consumers.replay.fold.consumer import Consumer
from events.values.bilingual import Bilingual
from events.wire.entry import Entry
from infra.postgres.unit_of_work import Key, Table

Kind = Literal["value", "sum", "rows"]
Figures = Mapping[str, Expression]
"""By field; the amounts in them are parts."""
_UNNAMED: Final = Bilingual("", "")


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What the rows of one table give to a figure. A row counts if it has the values of `where`.

    `value`: what `of` gives for the only such row, None without it. `sum`: the sum of what `of` gives. `rows`: what
    `of` gives by primary key, of few rows. `name` and `label`: what it is called in a formula.
    """

    consumer: Consumer
    table: Table[Any]
    where: Mapping[str, Any]
    of: Callable[[Any], Any]
    kind: Kind = "value"
    name: str = ""
    label: Bilingual = _UNNAMED

    def counts(self, row: Any) -> bool:
        """Whether the row counts."""
        return all(getattr(row, name) == value for name, value in self.where.items())


def column(consumer: Consumer, table: Table[Any], where: Mapping[str, Any], name: str) -> Part:
    """A column of one row."""
    return Part(consumer, table, where, attrgetter(name))


def counted(
    consumer: Consumer, table: Table[Any], where: Mapping[str, Any], of: Callable[[Any], int] = lambda row: 1
) -> Part:
    """A sum over rows."""
    return Part(consumer, table, where, of, "sum")


def own_row(consumer: Consumer, table: Table[Any], where: Mapping[str, Any]) -> Part:
    """The row of a key, without which there is no such key."""
    return Part(consumer, table, where, lambda row: True)


class Sum:
    """What the rows seen so far give to a part."""

    __slots__ = ("_part", "value")

    def __init__(self, part: Part) -> None:
        self._part = part
        self.value: Any = {"value": None, "sum": 0, "rows": {}}[part.kind]

    def change(self, key: Key, before: Any, after: Any) -> None:
        """A row gave `before` and now gives `after`; None where there is no row that counts."""
        if self._part.kind == "sum":
            self.value += (after or 0) - (before or 0)
        elif self._part.kind == "value":
            self.value = after
        elif after is None:
            self.value.pop(key, None)
        else:
            self.value[key] = after


@dataclass(frozen=True, slots=True)
class Scope:
    """The entries that can change a figure: those that meet all given conditions. `types` are short names.

    A fold of these alone gives the same rows as a fold of the log, for the rows that the figure is made of.
    """

    subject: str | None = None
    types: frozenset[str] | None = None
    agency: str | None = None

    def has(self, entry: Entry) -> bool:
        return (
            (self.subject is None or entry.subject == self.subject)
            and (self.types is None or entry.type in self.types)
            and (self.agency is None or entry.agency == self.agency)
        )


EVERYTHING: Final = Scope()


@dataclass(frozen=True, slots=True)
class KeyFigures:
    """The figures of one key, and the entries that can change them. `row` is the key's own row. None: the key always
    exists."""

    figures: Figures
    scope: Scope
    row: Part | None = None

    @property
    def parts(self) -> list[Part]:
        """The parts of all figures, each once."""
        return list(dict.fromkeys(part for figure in self.figures.values() for part in leaves(figure)))


def kept(value: Any) -> Any:
    """The value as it is now: folds change lists and objects of rows in place."""
    return deepcopy(value) if isinstance(value, list | dict) else value
