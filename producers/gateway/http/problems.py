"""RFC 9457 problems for refused events.

Faults of an event have the codes and sentences of `events.validation.faults`; problems of a request those of
`infra.http.problems`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from events.errors import Reject
from events.faults.details import arabic_of
from events.faults.problems import PROBLEMS, Fault
from infra.http.problems import PAGE_PREFIX, Language

ERRORS_MAX: Final = 1_000
"""Faults beyond this many are counted (`unlisted`), not listed."""


@dataclass(frozen=True, slots=True)
class EventFaults:
    """The faults of the event at this position of the request (0 for a single one)."""

    place: int
    faults: tuple[Fault, ...]
    id: str | None = None
    """The claimed id, if it is well-formed and free of personal data."""
    unlisted: int = 0
    """How many more faults the event has."""


class Refusal(Reject):
    """Events with faults. `batched`: pointers begin with the event's place in the array."""

    def __init__(self, found: Sequence[EventFaults], *, batched: bool) -> None:
        super().__init__(f"{len(found)} events refused")
        self.found = found
        self.batched = batched

    @property
    def status(self) -> int:
        """413 for a single event whose only fault is its size, else 422."""
        faults = self.found[0].faults
        return 413 if not self.batched and [f.code for f in faults] == ["too-large"] else 422


def refusal_document(refusal: Refusal, language: Language) -> dict[str, Any]:
    """The problem document: type and title of the first fault's code, and every fault of every event."""
    explained = PROBLEMS[refusal.found[0].faults[0].code]
    errors, unlisted = listed_faults(refusal.found, refusal.batched, language)
    document: dict[str, Any] = {
        "type": PAGE_PREFIX + refusal.found[0].faults[0].code,
        "title": getattr(explained.title, language),
        "status": refusal.status,
        "detail": getattr(explained.remedy, language),
        "errors": errors,
    }
    if unlisted:
        document["unlisted"] = unlisted
    return document


def listed_faults(found: Iterable[EventFaults], batched: bool, language: Language) -> tuple[list[dict[str, Any]], int]:
    """The rows of `errors`, at most `ERRORS_MAX`, and the number of the other faults. Pointers refer to the body."""
    errors: list[dict[str, Any]] = []
    unlisted = 0
    for event in found:
        unlisted += event.unlisted
        for fault in event.faults:
            if len(errors) < ERRORS_MAX:
                errors.append(_row(event, fault, batched, language))
            else:
                unlisted += 1
    return errors, unlisted


def _row(event: EventFaults, fault: Fault, batched: bool, language: Language) -> dict[str, Any]:
    row: dict[str, Any] = {
        "code": fault.code,
        "pointer": f"/{event.place}{fault.pointer}" if batched else fault.pointer,
        "detail": arabic_of(fault.detail) if language == "ar" else fault.detail,
    }
    if batched:
        row["event"] = event.place
    if event.id is not None:
        row["id"] = event.id
    return row
