"""The full verdict on a validation request, which stores nothing: form and authority, then identity by the log.

Events that are stored but not yet registered have no verdict and are not compared. Pure: known claims come in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from events.faults.problems import CONFLICT
from events.validation.verdicts import Accepted
from infra.http.problems import Language
from infra.log.proofs import PROOF_PREFIX
from infra.postgres.verdicts import Known
from producers.gateway.http.problems import EventFaults, listed_faults
from producers.gateway.receiving import Verdicts


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A duplicate: the event is in the log at `index`, or earlier in the request at `first_event`."""

    place: int
    id: str
    index: int | None
    first_event: int | None


@dataclass(frozen=True, slots=True)
class Validated:
    """The verdict that each event of a request would get, with its position."""

    accepted: list[tuple[int, Accepted]]
    duplicates: list[Duplicate]
    refused: list[EventFaults]
    batched: bool


def identify(verdicts: Verdicts[Accepted], known: Known) -> Validated:
    """Give each event without faults the verdict that the registrar would give it now, in order."""
    accepted: list[tuple[int, Accepted]] = []
    duplicates: list[Duplicate] = []
    refused = list(verdicts.refused)
    first_here: dict[bytes, tuple[bytes, int]] = {}
    for place, event in verdicts.accepted:
        in_log = known.get(event.claim)
        first = in_log or first_here.get(event.claim)
        if first is None:
            first_here[event.claim] = (event.identity, place)
            accepted.append((place, event))
        elif first[0] == event.identity:
            duplicates.append(Duplicate(place, event.id, in_log[1] if in_log else None, None if in_log else first[1]))
        else:
            refused.append(EventFaults(place, (CONFLICT,), event.id))
    refused.sort(key=lambda found: found.place)
    return Validated(accepted, duplicates, refused, verdicts.batched)


def validation_document(validated: Validated, language: Language) -> dict[str, Any]:
    """The answer: whether all events are valid, the new events, the duplicates, and every fault."""
    errors, unlisted = listed_faults(validated.refused, validated.batched, language)
    document: dict[str, Any] = {
        "valid": not validated.refused,
        "accepted": [{"event": place, "id": event.id, "type": event.type} for place, event in validated.accepted],
        "duplicates": [_row(duplicate) for duplicate in validated.duplicates],
        "errors": errors,
    }
    if unlisted:
        document["unlisted"] = unlisted
    return document


def _row(duplicate: Duplicate) -> dict[str, Any]:
    row: dict[str, Any] = {"event": duplicate.place, "id": duplicate.id}
    if duplicate.index is None:
        return row | {"first_event": duplicate.first_event}
    return row | {"index": duplicate.index, "proof": f"{PROOF_PREFIX}{duplicate.index}"}
