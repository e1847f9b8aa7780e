"""RFC 9457 problems for refused events.

Faults of an event have the codes and sentences of `events.validation.faults`; problems of a request those of
`infra.http.problems`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import UNSET, UnsetType

from events.faults.details import arabic_of
from events.faults.problems import PROBLEMS, Fault
from events.values.bilingual import Language
from events.values.reading_order import in_reading_order, text_of
from infra.http.problems import PAGE_PREFIX
from producers.gateway.answers import FaultRow, RefusalDocument
from producers.gateway.validating import EventFaults, Refusal

ERRORS_MAX: Final = 1_000
"""Faults beyond this many are counted (`unlisted`), not listed."""


def refusal_document(refusal: Refusal, language: Language, address: str) -> RefusalDocument:
    """The problem document: type and title of the first fault's code, and every fault of every event."""
    code = refusal.found[0].faults[0].code
    errors, unlisted = listed_faults(refusal.found, refusal.batched, language)
    return RefusalDocument(
        type=address + PAGE_PREFIX + code,
        title=text_of(PROBLEMS[code].title, language),
        status=refusal.status,
        detail=text_of(PROBLEMS[code].remedy, language),
        errors=errors,
        unlisted=unlisted,
    )


def listed_faults(
    found: Iterable[EventFaults], batched: bool, language: Language
) -> tuple[list[FaultRow], int | UnsetType]:
    """The rows of `errors`, at most `ERRORS_MAX`, and the number of the other faults, `UNSET` where there are none."""
    errors: list[FaultRow] = []
    unlisted = 0
    for event in found:
        unlisted += event.unlisted
        for fault in event.faults:
            if len(errors) < ERRORS_MAX:
                errors.append(_row(event, fault, batched, language))
            else:
                unlisted += 1
    return errors, unlisted or UNSET


def _row(event: EventFaults, fault: Fault, batched: bool, language: Language) -> FaultRow:
    return FaultRow(
        code=fault.code,
        pointer=f"/{event.place}{fault.pointer}" if batched else fault.pointer,
        detail=in_reading_order(arabic_of(fault.detail)) if language == "ar" else fault.detail,
        event=event.place if batched else UNSET,
        id=UNSET if event.id is None else event.id,
    )
