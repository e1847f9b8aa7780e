"""What a bench measured, and how it is shown: a table for people, one JSON document for machines."""

from __future__ import annotations

import statistics
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from rich.console import Console
from rich.table import Table

Samples = Sequence[tuple[float, int]]
"""(Seconds, events done), in order."""
CEILING: Final = "ceiling"
WINDOWS: Final = 10


@dataclass(slots=True)
class Line:
    """One line of the table, with the figures of each run of it. A goal counts for the rate."""

    title: str
    goal: float | None = None
    rates: list[float] = field(default_factory=list)
    processor_us: list[float] = field(default_factory=list)
    memory_mib: list[float] = field(default_factory=list)
    growth: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Latency:
    """Milliseconds from publishing an event to its being visible."""

    where: str
    p50_ms: float
    p99_ms: float
    samples: int
    events_per_s: float


@dataclass(slots=True)
class Figures:
    """All runs. `lines` are by traffic and key; `ratios` pairs of keys with the goal of the first to the second."""

    events: int
    lines: dict[str, dict[str, Line]] = field(default_factory=dict)
    latencies: list[Latency] = field(default_factory=list)
    rebuild_s: list[float] = field(default_factory=list)
    ratios: dict[tuple[str, str], float | None] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def line(self, traffic: str, key: str, title: str, goal: float | None = None) -> Line:
        """The line of that key, made at its first run."""
        return self.lines.setdefault(traffic, {}).setdefault(key, Line(title, goal))

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def document(self) -> dict[str, Any]:
        """One JSON object; rates are events per second."""
        return {
            "events": self.events,
            "traffic": {
                traffic: {key: _line_document(line, lines.get(CEILING)) for key, line in lines.items()}
                for traffic, lines in self.lines.items()
            },
            "ratios": {f"{one}/{other}": ratio for (one, other), _, ratio in self.ratio_rows()},
            "latency_ms": [
                {
                    "where": latency.where,
                    "events_per_s": round(latency.events_per_s),
                    "p50": round(latency.p50_ms, 1),
                    "p99": round(latency.p99_ms, 1),
                    "samples": latency.samples,
                }
                for latency in self.latencies
            ],
            "rebuild_seconds": [round(seconds, 2) for seconds in self.rebuild_s],
            "notes": self.notes,
        }

    def ratio_rows(self) -> list[tuple[tuple[str, str], float | None, float]]:
        """The ratios of mixed traffic that were measured: keys, goal, median of the runs' own ratios."""
        lines = self.lines.get("mixed", {})
        return [
            ((one, other), goal, round(ratio, 3))
            for (one, other), goal in self.ratios.items()
            if one in lines and other in lines and (ratio := _ratio(lines[one], lines[other])) is not None
        ]


def _line_document(line: Line, ceiling: Line | None) -> dict[str, Any]:
    ratio = _ratio(line, ceiling) if ceiling else None
    return {
        "title": line.title,
        "events_per_s": round(statistics.median(line.rates)) if line.rates else None,
        "runs": [round(rate) for rate in line.rates],
        "of_ceiling": None if ratio is None else round(ratio, 4),
        "goal": line.goal,
        "processor_us_per_event": _median(line.processor_us, 2),
        "memory_mib": round(max(line.memory_mib)) if line.memory_mib else None,
        "last_window_to_first": _median(line.growth, 3),
    }


def _median(values: Sequence[float], digits: int) -> float | None:
    return round(statistics.median(values), digits) if values else None


def _ratio(one: Line, other: Line) -> float | None:
    """The median of the ratios run by run, since runs meet different machines."""
    if not one.rates or len(one.rates) != len(other.rates):
        return None
    return statistics.median(a / b for a, b in zip(one.rates, other.rates, strict=True))


def show(figures: Figures, console: Console) -> None:
    """Print the tables, within 80 columns."""
    for traffic, lines in figures.lines.items():
        console.print(_table(f"{figures.events:,} {traffic} events, all on this machine", lines), "")
    for (one, other), goal, ratio in figures.ratio_rows():
        lines = figures.lines["mixed"]
        console.print(f"{lines[one].title} to {lines[other].title}: {ratio:.2f}" + (f" (goal {goal})" if goal else ""))
    if figures.rebuild_s:
        seconds = statistics.median(figures.rebuild_s)
        console.print(f"(e) rebuild of the projections, compared row by row: {seconds:.1f} s")
    for where in dict.fromkeys(latency.where for latency in figures.latencies):
        runs = [latency for latency in figures.latencies if latency.where == where]
        p50, p99 = (statistics.median(x) for x in ([r.p50_ms for r in runs], [r.p99_ms for r in runs]))
        rate = statistics.median(r.events_per_s for r in runs)
        console.print(f"(f) visible in {where} at {rate:,.0f}/s: p50 {p50:.0f} ms, p99 {p99:.0f} ms")
    for note in figures.notes:
        console.print(note)


def _table(title: str, lines: dict[str, Line]) -> Table:
    table = Table(title=title, box=None, padding=(0, 1, 0, 0), title_justify="left")
    for heading in ("", "events/s", "of (a)", "goal", "µs/event", "MiB", "last/first"):
        table.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    for line in lines.values():
        shown = _line_document(line, lines.get(CEILING))
        values = (
            _number(shown["events_per_s"], ",.0f"),
            _number(shown["of_ceiling"], ".3f"),
            _number(shown["goal"], ",.0f"),
            _number(shown["processor_us_per_event"], ".1f"),
            _number(shown["memory_mib"], ",.0f"),
            _number(shown["last_window_to_first"], ".2f"),
        )
        table.add_row(line.title, *values)
    return table


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


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
