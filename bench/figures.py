"""What a part of the bench measured: figures by row and column, one of each run, and how they are read."""

from __future__ import annotations

import statistics
from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

from msgspec import Struct, field
from rich.console import Console

Samples = Sequence[tuple[float, int]]
"""(Seconds, events done), in order."""
WINDOWS: Final = 10

console: Final = Console(stderr=True)


class Figures(Struct):
    """The figures of one part. A column names its unit. `versions` are those of the programs that were measured.

    `measured_on` is a date; `machine` also says what else it did.
    """

    part: str
    size: int = 0
    measured_on: str = ""
    machine: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    rows: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, row: str, column: str, figure: float) -> None:
        """Add this run's figure, and show it."""
        self.rows.setdefault(row, {}).setdefault(column, []).append(figure)
        console.print(f"{row}: {number(figure)} {column}")

    def note(self, text: str) -> None:
        """Add a sentence below the table, once, and show it."""
        if text not in self.notes:
            self.notes.append(text)
            console.print(text, markup=False)

    def of(self, row: str, column: str) -> list[float]:
        """The figures of all runs; empty where it was not measured."""
        return self.rows.get(row, {}).get(column, [])

    def ratio(self, row: str, other: str, column: str) -> float | None:
        """The median of the ratios run by run, since runs meet different machines."""
        one, two = self.of(row, column), self.of(other, column)
        if not one or len(one) != len(two):
            return None
        return statistics.median(a / b for a, b in zip(one, two, strict=True))


def number(figure: float) -> str:
    """With three digits at least."""
    digits = 0 if abs(figure) >= 100 else 1 if abs(figure) >= 10 else 2
    return f"{figure:,.{digits}f}"


def rate(samples: Samples) -> float:
    """Events per second from the first sample that shows progress to the last; the start-up before does not count."""
    (t0, n0), (t1, n1) = samples[_first(samples)], samples[-1]
    if n1 == n0:
        t0, n0 = samples[_first(samples) - 1]
    return (n1 - n0) / max(t1 - t0, 1e-9)


def growth(samples: Samples) -> float | None:
    """The rate in the last tenth of the events to that in the first; None where too few samples tell them apart."""
    seen = samples[_first(samples) :]
    start, end = seen[0][1], seen[-1][1]
    width = (end - start) / WINDOWS
    if len({done for _, done in seen}) < 2 * WINDOWS:
        return None
    first_s = _when(seen, start + width) - seen[0][0]
    last_s = _when(seen, end) - _when(seen, end - width)
    return first_s / max(last_s, 1e-9)


def _first(samples: Samples) -> int:
    return next(number for number, (_, done) in enumerate(samples) if done > samples[0][1])


def _when(samples: Samples, done: float) -> float:
    """When so many were done, on the line between the samples around."""
    at = bisect_left(samples, done, key=lambda sample: sample[1])
    (t1, n1), (t0, n0) = samples[at], samples[max(at - 1, 0)]
    return t1 if n1 == n0 else t0 + (t1 - t0) * (done - n0) / (n1 - n0)
