"""What a bench measured, and how it is shown: a table for people, one JSON document for machines."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import Any, Final

from rich.console import Console
from rich.table import Table

SAMPLE_EVERY_S: Final = 0.02


@dataclass(slots=True)
class Rate:
    """One line of the bench: events per second in each run of it."""

    name: str
    title: str
    runs: list[float] = field(default_factory=list)
    events: int = 0
    goal: float | None = None
    memory_mib: float | None = None

    @property
    def median(self) -> float:
        return statistics.median(self.runs)


@dataclass(slots=True)
class Latency:
    """Milliseconds from publishing to being visible in a read model."""

    events_per_s: float
    p50_ms: float
    p99_ms: float
    samples: int


@dataclass(slots=True)
class Figures:
    """The whole run."""

    events: int
    rates: list[Rate] = field(default_factory=list)
    latency: Latency | None = None
    rebuild_seconds: dict[str, float] = field(default_factory=dict)
    growth: dict[str, float] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """One JSON object; rates are events per second."""
        ceiling = self.rates[0].median if self.rates else 0.0
        return {
            "events": self.events,
            "rates": {
                r.name: {
                    "title": r.title,
                    "median": round(r.median),
                    "runs": [round(x) for x in r.runs],
                    "of_ceiling": round(r.median / ceiling, 4) if ceiling else None,
                    "goal": r.goal,
                    "memory_mib": r.memory_mib,
                }
                for r in self.rates
            },
            "latency_ms": None
            if self.latency is None
            else {
                "events_per_s": round(self.latency.events_per_s),
                "p50": round(self.latency.p50_ms, 1),
                "p99": round(self.latency.p99_ms, 1),
                "samples": self.latency.samples,
            },
            "rebuild_seconds": {k: round(v, 2) for k, v in self.rebuild_seconds.items()},
            "rate_at_full_size_of_rate_at_a_tenth": {k: round(v, 3) for k, v in self.growth.items()},
        }


def show(figures: Figures, console: Console) -> None:
    """Print the table."""
    table = Table(title=f"{figures.events:,} events, everything on this machine")
    for heading, justify in (("what", "left"), ("events/s (median)", "right"), ("of (a)", "right"), ("goal", "right")):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]
    table.add_column("MiB", justify="right")
    ceiling = figures.rates[0].median if figures.rates else 0.0
    for rate in figures.rates:
        table.add_row(
            rate.title,
            f"{rate.median:,.0f}",
            f"{rate.median / ceiling:.3f}" if ceiling else "",
            f"{rate.goal:,.0f}" if rate.goal else "",
            f"{rate.memory_mib:,.0f}" if rate.memory_mib else "",
        )
    console.print(table)
    for name, seconds in figures.rebuild_seconds.items():
        console.print(f"(e) rebuild of {name}: {seconds:.2f} s")
    if figures.latency:
        at = figures.latency
        console.print(
            f"(f) published to visible at {at.events_per_s:,.0f} events/s: "
            f"p50 {at.p50_ms:.1f} ms, p99 {at.p99_ms:.1f} ms ({at.samples:,} samples)"
        )
    for name, ratio in figures.growth.items():
        console.print(f"rate of {name} at the full size, of that at a tenth: {ratio:.2f}")


def rate_between(samples: list[tuple[float, int]]) -> float:
    """Events per second between the first sample that shows progress and the first that shows the end.

    `samples` are (seconds, events done). The start-up before the first progress does not count.
    """
    start = next(i for i, (_, done) in enumerate(samples) if done > samples[0][1])
    (t0, n0), (t1, n1) = samples[start], samples[-1]
    if n1 == n0:
        t0, n0 = samples[start - 1]
    return (n1 - n0) / max(t1 - t0, 1e-9)
