"""The second traffic: histories of the oracle, which is written from the contract alone and knows nothing of a bench.

Agencies err in a tenth of their facts, a fiftieth of the records is spoiled, and there are duplicates, conflicts, late
registrations, reversals and amendments. One history is repeated under new ids, so that any length takes little memory.
Its verdicts and figures are the oracle's.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import zip_longest
from typing import Final

from bench.traffic import Expected, Line, Outcome
from tests.oracle.entries import log_of, round_robin
from tests.oracle.fold import Figures, fold
from tests.oracle.history import CODES, MIXED, generate
from tests.oracle.validation import LINE_BYTES_MAX, Agency, fill, verdicts

SEED: Final = 20261201
LINES: Final = 2_000
ID: Final = re.compile(
    rb'(?<=PPP-)|(?<=SVC-)|(?<=PRJ-)|(?<=CRT-)|(?<=INI-)|(?<=WS-)|(?<=FW-)|(?<="bad:)|(?<="training:)|(?<="project:)'
    rb'|(?<="partnership:)|(?<="revenue:)|(?<="service:)|(?<="awareness:)|(?<="plan:)'
)
"""Where the number of the repetition goes into an id."""
OUTCOMES: Final[dict[str, Outcome]] = {
    "accepted": "accepted", "duplicate": "duplicate", "refused": "refused", "conflict": "refused",
}  # fmt: skip


def independent(events: int) -> Iterator[Line]:
    """About so many records: whole histories, the agencies in turn."""
    block = _block()
    for repetition in range(repetitions(events)):
        name = b"%d-" % repetition if repetition else b""
        for code, parts, outcome in block:
            yield code, name.join(parts), outcome


def repetitions(events: int) -> int:
    """How many histories come closest to so many records."""
    return max(1, round(events / len(_block())))


def expected(events: int) -> Expected:
    """What the oracle finds: each repetition adds what the second one adds to the first."""
    once, twice = (_figures(count) for count in (1, 2))
    more = repetitions(events) - 1
    outcomes = Counter(outcome for _, _, outcome in _block())
    return Expected(
        Counter({outcome: count * (more + 1) for outcome, count in outcomes.items()}),
        _net(once) + more * (_net(twice) - _net(once)),
        len(once.anomalies) + more * (len(twice.anomalies) - len(once.anomalies)),
    )


def _net(figures: Figures) -> int:
    return sum(row["net_halalas"] for row in figures.plan["partnerships"])


@cache
def _figures(count: int) -> Figures:
    lines: dict[str, list[bytes]] = {}
    for code, line, _ in independent(count * len(_block())):
        lines.setdefault(code, []).append(line)
    return fold(log_of(_agencies(), round_robin(verdicts(lines, _agencies()).values())))


def _agencies() -> list[Agency]:
    return [Agency(code, "office" if code == "yesser" else "agency") for code in CODES]


@cache
def _block() -> list[tuple[str, list[bytes], Outcome]]:
    """One history: agency, the record cut where its ids are, outcome. Records that no topic takes are left out."""
    history = generate(SEED, LINES, MIXED)
    files = []
    for code, publication in verdicts(history.lines, history.agencies).items():
        records = (fill(line, code) for line in history.lines[code] if line.strip())
        judged = zip(records, publication.verdicts, strict=True)
        files.append(
            [
                (code, ID.split(record), OUTCOMES[verdict.kind])
                for record, verdict in judged
                if len(record) <= LINE_BYTES_MAX
            ]
        )
    return [line for turn in zip_longest(*files) for line in turn if line is not None]
