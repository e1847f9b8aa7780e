"""The verdicts on the events of a request, by the registrar's own code. Pure but for the turns of other requests.

Refused events become RFC 9457 problems. Faults of an event have the codes and sentences of `events.validation.faults`;
problems of a request those of `infra.http.problems`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, NamedTuple, TypeVar

from msgspec import UNSET, UnsetType

from events.errors import Reject
from events.faults.details import arabic_of
from events.faults.problems import PROBLEMS, Fault
from events.validation.verdicts import Admitted, Agency, Refused
from events.values.bilingual import Language
from events.values.reading_order import in_reading_order, text_of
from events.wire.kafka_binding import Headers
from infra.http.problems import PAGE_PREFIX
from producers.gateway.answers import FaultRow, RefusalDocument

_VALIDATED_FOR_S: Final = 0.005
"""Time for which a request's events are validated before other requests get to run."""

Good = TypeVar("Good", bound=Admitted)
Validation = Callable[[bytes, Headers, Agency], Good | Refused]
"""`validate_form`, or `validate` where the events' identities are needed too."""


class Claims(NamedTuple):
    """A request's events as Kafka records, which all have the same headers. `batched`: they came as an array."""

    values: Sequence[bytes]
    headers: Headers
    batched: bool


@dataclass(frozen=True, slots=True)
class EventFaults:
    """The faults of the event at this position of the request (0 for a single one)."""

    place: int
    faults: tuple[Fault, ...]
    id: str | None = None
    """The claimed id, if it is well-formed and free of personal data."""
    unlisted: int = 0
    """How many more faults the event has."""


@dataclass(frozen=True, slots=True)
class Verdicts(Generic[Good]):
    """The verdict on every event of a request, with its position."""

    batched: bool
    accepted: list[tuple[int, Good]]
    refused: list[EventFaults]


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


async def validate_claims(claims: Claims, agency: Agency, validation: Validation[Good]) -> Verdicts[Good]:
    """The verdict on each claim."""
    verdicts: Verdicts[Good] = Verdicts(claims.batched, [], [])
    headers = claims.headers
    began = time.monotonic()
    for place, value in enumerate(claims.values):
        if time.monotonic() - began > _VALIDATED_FOR_S:
            await asyncio.sleep(0)
            began = time.monotonic()
        verdict = validation(value, headers, agency)
        if isinstance(verdict, Refused):
            verdicts.refused.append(EventFaults(place, verdict.faults, verdict.claimed_id, verdict.unlisted))
        else:
            verdicts.accepted.append((place, verdict))
    return verdicts


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
