"""The whole verdict on a request of which nothing is stored: form and authority by validation, identity by the log.

What was sent and not yet registered has no verdict, so nothing is compared with it. Pure: what the log knows comes in.
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
    """An event that would be dropped: it is in the log at `index`, or earlier in the request at `first_event`."""

    place: int
    id: str
    index: int | None
    first_event: int | None


@dataclass(frozen=True, slots=True)
class Validated:
    """What would become of every event of a request, by its place."""

    accepted: list[tuple[int, Accepted]]
    duplicates: list[Duplicate]
    refused: list[EventFaults]
    batched: bool


def identify(verdicts: Verdicts[Accepted], known: Known) -> Validated:
    """Give each event without fault the verdict that the registrar would give it now, in order."""
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
    """What validating prints: whether all is good, each event that is new, each that is there already, every fault."""
    errors, count = listed_faults(validated.refused, validated.batched, language)
    document: dict[str, Any] = {
        "valid": not validated.refused,
        "accepted": [{"event": place, "id": event.id, "type": event.type} for place, event in validated.accepted],
        "duplicates": [_row(duplicate) for duplicate in validated.duplicates],
        "errors": errors,
    }
    if count > len(errors):
        document["unlisted"] = count - len(errors)
    return document


def _row(duplicate: Duplicate) -> dict[str, Any]:
    row: dict[str, Any] = {"event": duplicate.place, "id": duplicate.id}
    if duplicate.index is None:
        return row | {"first_event": duplicate.first_event}
    return row | {"index": duplicate.index, "proof": f"{PROOF_PREFIX}{duplicate.index}"}
