"""Tables in the chosen language that fit the terminal and never cut an id.

Where a table is too wide, columns are left out and named below it; those with the smallest `drop` stay longest.
The terminal wraps a row that is still too wide. Output to a pipe has no width limit unless COLUMNS is set.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from events.values.bilingual import Bilingual, InTwoLanguages, joined
from events.values.working_days import riyadh_minute
from infra.command_line.language import localized

NOTHING: Final = "—"
_COMFORTABLE: Final = 18
_UNLIMITED: Final = 10_000

Cell: TypeAlias = str | Text | InTwoLanguages | None


class Column(Bilingual, frozen=True):
    """The heading of a column. `drop`: 0 always stays, else the greatest is left out first. `wraps`: may break between
    words."""

    drop: int = 0
    right: bool = False
    wraps: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A row that is a heading for the rows below it."""

    name: str


Row: TypeAlias = Sequence[Cell] | Section


def time_text(at: datetime | str) -> str:
    """A time as people in the country read it: the minute in Riyadh. JSON and CSV have UTC."""
    return riyadh_minute(str(at))


class Grid:
    """A table that leaves out columns where it is too wide."""

    def __init__(
        self,
        title: InTwoLanguages | None,
        columns: Sequence[Column],
        rows: Sequence[Row],
        totals: Sequence[Cell] = (),
        *,
        gap: int = 2,
    ) -> None:
        """`totals` are shown below the rows, if there are any; `gap` cells are between two columns, at least 1."""
        self._title = title
        self._gap = gap
        self._columns = columns
        self._rows = [row if isinstance(row, Section) else [_text(cell) for cell in row] for row in rows]
        self._totals = [_text(cell) for cell in totals] if totals and rows else None
        self._least = [self._least_width(at) for at in range(len(columns))]
        self._natural = [_widest(self._texts(at)) for at in range(len(columns))]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        shown = self._fitting(options.max_width)
        widths = self._widths(shown, options.max_width)
        width = max(options.max_width, sum(widths.values()) + self._gap * (len(shown) - 1))
        if self._title is not None:
            yield Text(localized(self._title), style="bold")
        yield from console.render(self._table(widths), options.update_width(width))
        if not self._rows:
            yield Text(localized(Bilingual("لا صفوف", "no rows")), style="dim")
        left_out = [column for at, column in enumerate(self._columns) if at not in shown and column.en]
        if left_out:
            yield Text(_left_out(left_out), style="dim")

    def _fitting(self, width: int) -> list[int]:
        """The positions of the columns that fit."""
        shown = [at for at, column in enumerate(self._columns) if not column.drop]
        for at in sorted(range(len(self._columns)), key=lambda at: self._columns[at].drop):
            more = [*shown, at] if at not in shown else shown
            if sum(map(self._wanted, more)) + self._gap * (len(more) - 1) <= width:
                shown = more
        return sorted(shown)

    def _widths(self, shown: Sequence[int], width: int) -> dict[int, int]:
        """The width of each column; those that wrap share the rest, none below its longest word."""
        widths = {at: self._least[at] for at in shown}
        left = width - sum(widths.values()) - self._gap * (len(shown) - 1)
        growing = {at: self._natural[at] for at in shown if self._natural[at] > widths[at]}
        while left > 0 and growing:
            narrowest = min(growing, key=lambda at: widths[at])
            widths[narrowest] += 1
            left -= 1
            if widths[narrowest] == growing[narrowest]:
                del growing[narrowest]
        return widths

    def _wanted(self, at: int) -> int:
        least = self._least[at]
        return max(least, min(self._natural[at], _COMFORTABLE)) if self._columns[at].wraps else least

    def _least_width(self, at: int) -> int:
        """The longest word of a column that wraps, else the longest line."""
        texts = self._texts(at)
        return _widest(word for text in texts for word in text.split()) if self._columns[at].wraps else _widest(texts)

    def _texts(self, at: int) -> Iterator[str]:
        yield localized(self._columns[at], "\n")
        for row in [*self._rows, *([self._totals] if self._totals else [])]:
            if not isinstance(row, Section):
                yield row[at].plain
            elif at == 0:
                yield row.name

    def _table(self, widths: Mapping[int, int]) -> Table:
        shown = list(widths)
        cells = [row for row in self._rows if not isinstance(row, Section)]
        tall = sum(any("\n" in row[at].plain for at in shown) for row in cells)
        table = Table(
            box=SIMPLE_HEAD,
            show_edge=False,
            pad_edge=False,
            padding=(0, self._gap - 1, 0, 0),
            leading=1 if 2 * tall > len(cells) else 0,
            show_footer=self._totals is not None,
        )
        for at in shown:
            column = self._columns[at]
            table.add_column(
                Text(localized(column, "\n")),
                self._totals[at] if self._totals else "",
                justify="right" if column.right else "left",
                no_wrap=not column.wraps,
                width=widths[at],
                overflow="fold",
            )
        for row in self._rows:
            if isinstance(row, Section):
                table.add_section()
                table.add_row(Text(row.name, style="bold"))
            else:
                table.add_row(*(row[at] for at in shown))
        return table


def _widest(texts: Iterable[str]) -> int:
    return max((cell_len(line) for text in texts for line in text.splitlines()), default=1)


def show(*parts: RenderableType) -> None:
    """Print tables and sentences, one below the other."""
    console = Console(width=None if _is_limited() else _UNLIMITED, highlight=False)
    for part in parts:
        console.print(part, markup=False, crop=False, soft_wrap=isinstance(part, str))


def _is_limited() -> bool:
    return sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdecimal()


def _text(cell: Cell) -> Text:
    """A cell as text, never parsed as rich's markup."""
    if cell is None:
        return Text(NOTHING)
    return cell if isinstance(cell, Text) else Text(cell if isinstance(cell, str) else localized(cell, "\n"))


def _left_out(columns: Sequence[Column]) -> str:
    sentence = Bilingual(
        "أعمدة لا يتسع لها العرض: {}. وسّع النافذة أو استعمل --json.",
        "Columns that do not fit: {}. Widen the window or use --json.",
    )
    return localized(sentence.format(joined(columns)), "\n")
