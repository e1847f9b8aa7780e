"""`make bench`: what the system does beside its peers, on this machine, as a page.

    python -m bench [--only PART,…] [--quick] [--events N] [--runs N]

A part has fresh stacks in temporary folders, on loopback. Its figures replace those of its last run in
`docs/figures.md`. `--quick` is for trying the bench, takes some minutes for all parts, and writes `build/figures.md`.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

from bench import (
    audit,
    capacity,
    gateway,
    latency,
    ledger,
    pages,
    past,
    plan_page,
    report,
    throughput,
    validation,
    webhooks,
)
from bench.figures import Figures, console
from bench.report import Chapter, Shown
from infra.cli import COLLECT_EVERY


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the bench: one run of that size adds to the figures. `quick` is a size for trying it."""

    measure: Callable[[int, Figures], Coroutine[Any, Any, None]]
    chapter: Chapter
    size: int
    quick: int
    runs: int = 1


PARTS: Final = {
    "throughput": Part(
        throughput.measure, Chapter("The system and its peers side by side", "events"), 300_000, 6_000, runs=3
    ),
    "latency": Part(latency.measure, Chapter("Published to visible everywhere", "s at each rate"), 30, 3, runs=3),
    "growth": Part(
        throughput.measure_growth, Chapter("Everything together over a long log", "events"), 5_000_000, 30_000
    ),
    "capacity": Part(capacity.measure, Chapter("What an entry takes", "events"), 300_000, 30_000),
    "rebuild": Part(past.measure_rebuild, Chapter("A rebuild with comparison", "entries"), 1_000_000, 20_000, runs=3),
    "replay": Part(audit.measure_replay, Chapter("A replay into files", "entries"), 1_000_000, 10_000, runs=3),
    "audit": Part(audit.measure, Chapter("Audit from outside", "entries"), 1_000_000, 10_000),
    "ledger": Part(ledger.measure, Chapter("The ledger", "receipts"), 200_000, 5_000, runs=3),
    "past": Part(past.measure, Chapter("Past states", "entries"), 1_000_000, 16_384),
    "webhooks": Part(webhooks.measure, Chapter("From a launch to its webhook", "launches"), 1_000, 20),
    "gateway": Part(gateway.measure, Chapter("The gateway beside bare applications", "s for each measurement"), 10, 1),
    "validation": Part(validation.measure, Chapter("Validation of a record", "rounds, of which the best counts"), 5, 1),
    "console": Part(plan_page.measure, Chapter("The plan's page", "events"), 1_000_000, 3_000),
    "pages": Part(pages.measure, Chapter("Pages of long lists", "rows in each table"), 10_000_000, 50_000),
}
SHOWN: Final = (
    Shown("everything together, own traffic", "throughput", "everything together, own", throughput.RATE, goal="20,000"),
    Shown(
        "the same, independent traffic", "throughput", "everything together, independent", throughput.RATE,
        goal="15,000",
    ),
    Shown(
        "projections, beside Kafka Streams by subject", "throughput", "projections, own", throughput.RATE,
        throughput.STREAMS["subject"], "2.50",
    ),
    Shown(
        "registrar, beside Tessera with deduplication", "throughput", "registrar, own", throughput.RATE,
        throughput.TESSERA, "0.90",
    ),
    Shown("registrar, independent traffic", "throughput", "registrar, independent", throughput.RATE, goal="32,000"),
    Shown("campaigns, own traffic", "throughput", "campaigns, own", throughput.RATE, goal="60,000"),
    Shown("revenue, own traffic", "throughput", "revenue, own", throughput.RATE, goal="40,000"),
    Shown("revenue, independent traffic", "throughput", "revenue, independent", throughput.RATE, goal="30,000"),
    Shown("WAL, own traffic", "throughput", "everything together, own", "WAL bytes/event", goal="1,800"),
    Shown("WAL, independent traffic", "throughput", "everything together, independent", "WAL bytes/event"),
    Shown("one event at 1,000 a second", "latency", "1,000 a second", "ms of processor time", goal="0.60"),
    Shown("the same, visible everywhere: p50", "latency", "1,000 a second", "p50 ms", goal="90.0"),
    Shown("the same, visible everywhere: p99", "latency", "1,000 a second", "p99 ms", goal="150"),
    Shown("a rebuild of the projections, compared", "rebuild", "rebuilt and compared", "s", goal="9.00"),
    Shown("a replay into SQLite", "replay", "SQLite", "s for a million", goal="15"),
    Shown("a replay into Parquet", "replay", "Parquet", "s for a million"),
    Shown("growth", "growth", "everything together, own", "registered, last tenth to first", goal="0.95"),
    Shown("the ledger, beside a row-by-row writer", "ledger", ledger.MANY, ledger.RECEIPTS, ledger.ROW_BY_ROW, "25.00"),
    Shown("the gateway, beside a bare application", "gateway", "the gateway", "mixed events/s", "bare, by event"),
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(PARTS), help="these parts (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="small sizes, one run")
    parser.add_argument("--events", type=int, help="the size of each part, instead of its own")
    parser.add_argument("--runs", type=int, help="runs of each part, instead of its own")
    arguments = parser.parse_args()
    wanted = arguments.only.split(",")
    if unknown := sorted(set(wanted) - set(PARTS)):
        parser.error(f"no such part: {', '.join(unknown)}")
    gc.freeze()
    gc.set_threshold(*COLLECT_EVERY)  # as in the platform's processes, for the peers in Python too
    page = report.OWN_PAGE.parents[1] / "build" / "figures.md" if arguments.quick else report.OWN_PAGE
    measured = report.read(page)
    for name in wanted:
        part = PARTS[name]
        size = arguments.events or (part.quick if arguments.quick else part.size)
        measured[name] = figures = report.now(name, size)
        for number in range(arguments.runs or (1 if arguments.quick else part.runs)):
            console.rule(f"{name}, run {number + 1}")
            asyncio.run(part.measure(size, figures))
        report.write(page, measured, {name: part.chapter for name, part in PARTS.items()}, SHOWN)
    console.print(page.read_text(encoding="utf-8"), markup=False)


if __name__ == "__main__":
    main()
