"""What validation costs: processor time for each record, of plain, refused and hostile ones.

    python -m bench.hostile [--json FILE]

Each hostile record has 60 KiB, or is too large (up to 4 MiB); the worst ones are shown by case. Everything runs in this
process, without any service.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Final

import orjson
from rich.console import Console
from rich.table import Table

from events.validation.validate import validate, validate_form
from events.wire.codec import STRUCTURED_HEADERS
from tests.hostile import SIZE_MAX, Case, cases, oversized
from tests.world.events import changed, golden, sender_of

GOAL_MS: Final = 20.0
GOAL_OF_REFUSED: Final = 5.0
GOAL_OF_WRITERS: Final = 1.5
SHOWN: Final = 15
ROUNDS: Final = 5
TYPES: Final = frozenset({"partnership.signed", "awareness.initiative-announced", "service.launched"})
"""The types with the most lists, objects and texts; the others have the same places."""

Writer = Callable[[Any], str]
WRITERS: Final[dict[str, Writer]] = {
    "compact": lambda event: json.dumps(event, ensure_ascii=False, separators=(",", ":")),
    "with spaces and \\u escapes": json.dumps,
    "indented, in another order": lambda event: json.dumps(dict(reversed(event.items())), ensure_ascii=False, indent=1),
}
FAULTS: Final[dict[str, tuple[str, Any]]] = {
    "an unknown field": ("/data/remark", "x"),
    "a missing attribute": ("/subject", ...),
    "a time that is none": ("/time", "yesterday"),
    "another subject": ("/subject", "x/y"),
    "an unknown type": ("/type", "x"),
    "another agency's source": ("/source", "urn:yesser:agency:nobody"),
    "no data": ("/data", {}),
    "a national id": ("/correlationid", "1064971268"),
    "a huge integer": ("/data/remark", 2**60),
    "a fraction": ("/data/remark", 1.5),
    "ten digits, accepted": ("/correlationid", "no 1064971269."),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    arguments = parser.parse_args()
    figures = {"us_per_event": typical(), "hostile_ms": hostile()}
    show(figures, Console())
    if arguments.json:
        arguments.json.write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2))


def typical() -> dict[str, tuple[float, float]]:
    """Kind → microseconds an event, with its identity (registrar) and without (gateway), of the golden examples."""
    events = [json.loads(raw) for _, raw in golden()]
    compact = WRITERS["compact"]
    receipts = [event for event in events if "amount_halalas" in event["data"]]
    of_ten_digits = [changed(event, "/data/amount_halalas", 1_064_971_268) for event in receipts]
    kinds = {name: list(_cases(events, writer)) for name, writer in WRITERS.items()}
    kinds |= {
        name: list(_cases([changed(event, *fault) for event in events], compact)) for name, fault in FAULTS.items()
    }
    kinds["cut short"] = [case._replace(value=case.value[:-1]) for case in kinds["compact"]]
    kinds["receipts"] = list(_cases(receipts, compact))
    kinds["receipts of ten digits"] = list(_cases(of_ten_digits, compact))
    return {name: (_us(found, validate), _us(found, validate_form)) for name, found in kinds.items()}


def hostile() -> dict[str, float]:
    """Case → milliseconds for the record, the worst first."""
    made = chain(cases(SIZE_MAX - 400, types=TYPES), oversized())
    found = {case.name: _us([case], validate) / 1e3 for case in made}
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def show(figures: dict[str, Any], console: Console) -> None:
    """The tables, with the goals."""
    table = Table(title="Processor time for an event; examples of all types")
    for column in ("", "registrar µs", "gateway µs", "of compact"):
        table.add_column(column, justify="right" if column else "left")
    base = figures["us_per_event"]["compact"][0]
    for name, (whole, form) in figures["us_per_event"].items():
        table.add_row(name, f"{whole:.1f}", f"{form:.1f}", f"{whole / base:.2f}")
    console.print(table)
    console.print(f"goals: other writers {GOAL_OF_WRITERS}, refused {GOAL_OF_REFUSED} of compact")
    worst = Table(title=f"The costliest of {len(figures['hostile_ms']):,} hostile records (goal {GOAL_MS:.0f} ms)")
    worst.add_column("case")
    worst.add_column("ms", justify="right")
    for name, milliseconds in list(figures["hostile_ms"].items())[:SHOWN]:
        worst.add_row(name, f"{milliseconds:.1f}")
    console.print(worst)


def _cases(events: Sequence[Any], writer: Writer) -> Iterator[Case]:
    for event in events:
        code = sender_of(event) if event.get("source") != "urn:yesser:agency:nobody" else sender_of(events[0])
        yield Case("", writer(event).encode(), STRUCTURED_HEADERS, code)


def _us(found: Sequence[Case], check: Callable[..., Any]) -> float:
    """Microseconds of processor time for each record: the best of some rounds."""
    repeats = max(1, 2_000 // len(found)) if len(found) > 1 else 1
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.process_time_ns()
        for _ in range(repeats):
            for case in found:
                check(case.value, case.headers, case.agency)
        best = min(best, (time.process_time_ns() - started) / 1e3 / repeats / len(found))
    return best


if __name__ == "__main__":
    main()
