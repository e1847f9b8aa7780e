"""Rules over several members. Each names what it reads and where it points.

A rule is checked only if everything it reads is well-formed, so that one mistake is reported once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from events.values.data import Data
from events.values.periods import periods_of_term


@dataclass(frozen=True, slots=True)
class Rule:
    """`holds(data)` must be true; `pointer` and `reads` are JSON pointers within `data` (`/terms/bands`)."""

    pointer: str
    reads: tuple[str, ...]
    holds: Callable[[Data], bool]
    detail: str


def _bands_ascend(data: Data) -> bool:
    ends = [band["up_to_halalas"] for band in data["terms"]["bands"]]
    limits = ends[:-1]
    return ends[-1] is None and None not in limits and all(a < b for a, b in pairwise(limits))


def _expected_covers_the_term(data: Data) -> bool:
    terms = data["terms"]
    expected = terms["expected"]
    if not expected or terms["starts_on"] > terms["ends_on"]:
        return True
    periods = periods_of_term(terms["starts_on"], terms["ends_on"], terms["calendar"], terms["period"])
    return len(expected) == len(periods) and all(
        item["period"] == period for item, period in zip(expected, periods, strict=True)
    )


def _phases_are_in_order(data: Data) -> bool:
    return all(phase["phase"] == number for number, phase in enumerate(data["phases"], start=1))


def _services_are_distinct(data: Data) -> bool:
    return len(set(data["services"])) == len(data["services"])


TERMS_RULES: Final = (
    Rule(
        "/terms",
        ("/terms/starts_on", "/terms/ends_on"),
        lambda data: bool(data["terms"]["starts_on"] <= data["terms"]["ends_on"]),
        "ends_on is before starts_on; correct one of them.",
    ),
    Rule(
        "/terms/bands",
        ("/terms/bands",),
        _bands_ascend,
        "up_to_halalas must rise from band to band, and be null in the last band only.",
    ),
    Rule(
        "/terms/expected",
        ("/terms/starts_on", "/terms/ends_on", "/terms/calendar", "/terms/period", "/terms/expected"),
        _expected_covers_the_term,
        "expected must hold one entry for each period of the term, in order, or none.",
    ),
    Rule(
        "/terms/expected",
        ("/terms/guarantee", "/terms/expected"),
        lambda data: data["terms"]["guarantee"] is None or len(data["terms"]["expected"]) > 0,
        "A guarantee needs expected amounts; add them or write guarantee as null.",
    ),
)
PHASES_RULES: Final = (
    Rule("/phases", ("/phases",), _phases_are_in_order, "Phases must be numbered 1, 2, 3 … in order."),
)
SERVICES_RULES: Final = (
    Rule("/services", ("/services",), _services_are_distinct, "services must not name one service twice."),
)
