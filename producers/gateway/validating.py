"""The full verdict on a validation request, which stores nothing: form and authority, then identity by the log.

Events that are stored but not yet registered have no verdict and are not compared. Pure: known claims come in.
"""

from __future__ import annotations

from events.faults.problems import CONFLICT
from events.validation.verdicts import Accepted
from events.values.bilingual import Language
from infra.log.proofs import PROOF_PREFIX
from infra.postgres.verdicts import Known
from producers.gateway.answers import AcceptedRow, DuplicateRow, Validation
from producers.gateway.http.problems import EventFaults, listed_faults
from producers.gateway.receiving import Verdicts


def validation_document(verdicts: Verdicts[Accepted], known: Known, language: Language) -> Validation:
    """The answer: each event without faults has the verdict that the registrar would give it now, in order."""
    accepted: list[AcceptedRow] = []
    duplicates: list[DuplicateRow] = []
    refused = list(verdicts.refused)
    first_here: dict[bytes, tuple[bytes, int]] = {}
    for place, event in verdicts.accepted:
        in_log = known.get(event.claim)
        first = in_log or first_here.get(event.claim)
        if first is None:
            first_here[event.claim] = (event.identity, place)
            accepted.append(AcceptedRow(place, event.id, event.type))
        elif first[0] != event.identity:
            refused.append(EventFaults(place, (CONFLICT,), event.id))
        elif in_log is None:
            duplicates.append(DuplicateRow(event=place, id=event.id, first_event=first[1]))
        else:
            proof = f"{PROOF_PREFIX}{in_log[1]}"
            duplicates.append(DuplicateRow(event=place, id=event.id, index=in_log[1], proof=proof))
    refused.sort(key=lambda found: found.place)
    errors, unlisted = listed_faults(refused, verdicts.batched, language)
    return Validation(valid=not refused, accepted=accepted, duplicates=duplicates, errors=errors, unlisted=unlisted)
