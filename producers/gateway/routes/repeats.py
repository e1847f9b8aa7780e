"""What an event that was sent again is a duplicate of, as far as that is known when it is stored."""

from __future__ import annotations

from collections.abc import Sequence

from events.validation.validate import validate
from events.validation.verdicts import Accepted, Agency
from events.wire.codec import STRUCTURED_HEADERS
from infra.http.problems import Problem
from infra.kafka.client_config import agency_topic
from infra.log.proofs import PROOF_PREFIX
from infra.postgres.connection import TRANSIENT_ERRORS
from infra.postgres.verdicts import Known, known_claims
from producers.gateway.answers import DuplicateRow
from producers.gateway.recent import Repeat
from producers.gateway.routes.parts import Parts


async def duplicates(parts: Parts, agency: Agency, repeats: Sequence[Repeat]) -> list[DuplicateRow]:
    """The rows of `duplicates`. Where the database is away they lack the index; the receipt does not wait for it."""
    accepted = [(repeat, event) for repeat in repeats if isinstance(event := _validated(repeat, agency), Accepted)]
    try:
        async with parts.connection() as connection:
            known = await known_claims(connection, [event.claim for _, event in accepted])
    except (Problem, *TRANSIENT_ERRORS):
        known = {}
    rows = (_row(repeat, event, agency, known) for repeat, event in accepted)
    return [row for row in rows if row is not None]


def _validated(repeat: Repeat, agency: Agency) -> object:
    return validate(repeat.value, list(STRUCTURED_HEADERS), agency)


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
