"""An explanation (`/v1/explain/…`) as a page shows it: the figures, the steps, and the sum that leads to a number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from events.faults.problems import Bilingual
from events.types.catalogue import CATALOGUE

TERMS_MAX: Final = 8
"""Terms of a sum that are written out."""


@dataclass(frozen=True, slots=True)
class Change:
    """A figure before and after an entry."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class StepView:
    """An entry that changed figures. `purpose`: what its type says, in words; `waited`: entries that took effect with
    it."""

    index: int
    recorded: str
    agency: str
    type: str
    purpose: Bilingual | None
    subject: str
    waited: tuple[int, ...]
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Sum:
    """A number as what it was at first, the change of each entry, and what it is now."""

    start: int
    terms: tuple[int, ...]
    total: int


def steps_of(document: Mapping[str, Any]) -> list[StepView]:
    """The steps, the newest first."""
    return [_step(step) for step in reversed(document["steps"])]


def sum_of(document: Mapping[str, Any]) -> Sum | None:
    """The sum of one figure that is a number and has few enough steps, all of them known; else None."""
    field = document["field"]
    if field is None or document["earlier"] is not None or len(document["steps"]) > TERMS_MAX:
        return None
    start, total = document["start"][field], document["total"][field]
    changes = [(step["changes"][field]["before"], step["changes"][field]["after"]) for step in document["steps"]]
    values = [start, total, *(value for pair in changes for value in pair)]
    if not changes or any(not isinstance(value, int) or isinstance(value, bool) for value in values):
        return None
    return Sum(start, tuple(after - before for before, after in changes), total)


def wrong_figures(document: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Field → what the table has and what the entries give, where they differ."""
    total = document["total"]
    return {name: (value, total[name]) for name, value in document["figures"].items() if value != total[name]}


def earlier_index(link: str | None) -> int | None:
    """The index of the log with which the page of earlier steps ends, from the address of the next page."""
    if link is None:
        return None
    return int(parse_qs(urlsplit(link).query)["as_of_index"][0])


def _step(step: Mapping[str, Any]) -> StepView:
    known = CATALOGUE.get(step["type"])
    return StepView(
        step["index"],
        step["recordedtime"],
        step["agency"],
        step["type"],
        None if known is None else known.purpose,
        step["subject"],
        tuple(step["waited"]),
        tuple(_changes(step["changes"])),
    )


def _changes(changes: Mapping[str, Mapping[str, Any]]) -> Iterator[Change]:
    for field, change in changes.items():
        yield Change(field, change["before"], change["after"])
