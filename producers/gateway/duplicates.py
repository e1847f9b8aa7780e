"""Which events of a request repeat one of the log, or one that this gateway stored recently.

The full verdict on a validation request is made here: form and authority, then identity by the log. Events that are
stored but not yet registered have no verdict and are not compared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

from events.faults.problems import CONFLICT, conflict_with
from events.validation.validate import validate
from events.validation.verdicts import Accepted, Agency
from events.values.bilingual import Language
from events.wire.codec import STRUCTURED_HEADERS
from infra.http.problems import Problem
from infra.kafka.client_config import agency_topic
from infra.log.proofs import PROOF_PREFIX
from infra.postgres.connection import TRANSIENT_ERRORS, Connection
from infra.postgres.verdicts import Known, known_claims
from producers.gateway.answers import AcceptedRow, DuplicateRow, Validation
from producers.gateway.problems import listed_faults
from producers.gateway.recent import Repeat
from producers.gateway.validating import EventFaults, Verdicts


async def duplicate_rows(
    connected: Callable[[], AbstractAsyncContextManager[Connection]], agency: Agency, repeats: Sequence[Repeat]
) -> list[DuplicateRow]:
    """The rows of `duplicates`. Where the database is away they lack the index; the receipt does not wait for it."""
    judged = [(repeat, validate(repeat.value, STRUCTURED_HEADERS, agency)) for repeat in repeats]
    accepted = [(repeat, event) for repeat, event in judged if isinstance(event, Accepted)]
    try:
        async with connected() as connection:
            known = await known_claims(connection, [event.claim for _, event in accepted])
    except (Problem, *TRANSIENT_ERRORS):
        known = {}
    rows = (_row(repeat, event, agency, known) for repeat, event in accepted)
    return [row for row in rows if row is not None]


def _row(repeat: Repeat, event: Accepted, agency: Agency, known: Known) -> DuplicateRow | None:
    """None for what is no duplicate: its id belongs to another event, or it cannot be known yet."""
    address = f"{agency_topic(agency.code)}/0/{repeat.earlier_offset}"
    row = DuplicateRow(event=repeat.place, id=repeat.id, address=address)
    in_log = known.get(event.claim)
    if in_log is None:
        return row if repeat.is_same else None
    identity, row.index = in_log
    row.proof = f"{PROOF_PREFIX}{row.index}"
    return row if identity == event.identity else None


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
            fault = CONFLICT if in_log is None else conflict_with(in_log[1])
            refused.append(EventFaults(place, (fault,), event.id))
        elif in_log is None:
            duplicates.append(DuplicateRow(event=place, id=event.id, first_event=first[1]))
        else:
            proof = f"{PROOF_PREFIX}{in_log[1]}"
            duplicates.append(DuplicateRow(event=place, id=event.id, index=in_log[1], proof=proof))
    refused.sort(key=lambda found: found.place)
    errors, unlisted = listed_faults(refused, verdicts.batched, language)
    return Validation(valid=not refused, accepted=accepted, duplicates=duplicates, errors=errors, unlisted=unlisted)
