"""What validation costs: processor time for each record, of plain, refused and hostile ones.

Each hostile record has 60 KiB, or is too large (up to 4 MiB). Everything runs in this process, without any service.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any, Final

from bench.figures import Figures
from events.validation.validate import validate, validate_form
from events.wire.codec import STRUCTURED_HEADERS
from tests.hostile import SIZE_MAX, Case, cases, oversized
from tests.world.events import changed, golden, sender_of

SHOWN: Final = 15
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


async def measure(rounds: int, figures: Figures) -> None:
    """One run; each record's time is the best of so many rounds."""
    for name, (whole, form) in typical(rounds).items():
        figures.add(name, "registrar µs", whole)
        figures.add(name, "gateway µs", form)
    worst = hostile(rounds)
    for name in sorted(worst, key=worst.__getitem__, reverse=True)[:SHOWN]:
        figures.add(f"hostile: {name}", "ms", worst[name])
    figures.note(f"The costliest {SHOWN} of {len(worst):,} hostile records.")


def typical(rounds: int) -> dict[str, tuple[float, float]]:
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
    return {name: (_us(found, validate, rounds), _us(found, validate_form, rounds)) for name, found in kinds.items()}


def hostile(rounds: int) -> dict[str, float]:
    """Case → milliseconds for the record."""
    made = chain(cases(SIZE_MAX - 400, types=TYPES), oversized())
    return {case.name: _us([case], validate, rounds) / 1e3 for case in made}


def _cases(events: Sequence[Any], writer: Writer) -> Iterator[Case]:
    for event in events:
        code = sender_of(event) if event.get("source") != "urn:yesser:agency:nobody" else sender_of(events[0])
        yield Case("", writer(event).encode(), STRUCTURED_HEADERS, code)


def _us(found: Sequence[Case], check: Callable[..., Any], rounds: int) -> float:
    """Microseconds of processor time for each record: the best of some rounds."""
    repeats = max(1, 2_000 // len(found)) if len(found) > 1 else 1
    best = float("inf")
    for _ in range(rounds):
        started = time.process_time_ns()
        for _ in range(repeats):
            for case in found:
                check(case.value, case.headers, case.agency)
        best = min(best, (time.process_time_ns() - started) / 1e3 / repeats / len(found))
    return best
