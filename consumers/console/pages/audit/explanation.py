"""What a page says of an explanation besides: the sum that leads to a number, and which figures differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from consumers.documents.explanations import Explanation

TERMS_MAX: Final = 8
"""Terms of a sum that are written out."""


@dataclass(frozen=True, slots=True)
class Sum:
    """A number as what it was at first, the change of each entry, and what it is now."""

    start: int
    terms: tuple[int, ...]
    total: int


def sum_of(document: Explanation) -> Sum | None:
    """The sum of one figure that is a number and has few enough steps, all of them known; else None."""
    field = document.field
    if field is None or document.earlier is not None or len(document.steps) > TERMS_MAX:
        return None
    start, total = document.start[field], document.total[field]
    changes = [(step.changes[field].before, step.changes[field].after) for step in document.steps]
    values = [start, total, *(value for pair in changes for value in pair)]
    if not changes or any(not isinstance(value, int) or isinstance(value, bool) for value in values):
        return None
    return Sum(start, tuple(after - before for before, after in changes), total)


def wrong_figures(document: Explanation) -> dict[str, tuple[Any, Any]]:
    """Field → what the table has and what the entries give, where they differ."""
    total = document.total
    return {name: (value, total[name]) for name, value in document.figures.items() if value != total[name]}


def earlier_index(link: str | None) -> int | None:
    """The index of the log with which the page of earlier steps ends, from the address of the next page."""
    if link is None:
        return None
    return int(parse_qs(urlsplit(link).query)["as_of_index"][0])
