"""What an agency expects of its own systems: where it is declared, and how each does now."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Final

from consumers.delivery.notices.read import silences
from consumers.delivery.teams.changes import SQL, Desk, NotAllowedNow, NotFound, limit_reached
from consumers.delivery.teams.inputs import NewExpectation, invalid_value
from consumers.documents.document import document_of
from consumers.documents.teams.notices import Expectation, ExpectationState
from events.types.catalogue import CATALOGUE, may_send
from events.values.bilingual import Bilingual
from infra.postgres.connection import Connection
from infra.settings import Settings

EXPECTATIONS_MAX: Final = 200
"""Of an agency, without those that have ended."""
_OWNED: Final = {
    "partnership": "revenue.contract",
    "project": "projections.project",
    "service": "projections.service",
}
"""Where the owner of each is found: their consumers make these tables when they first run."""


async def require_expectable(connection: Connection, agency: str, new: NewExpectation) -> None:
    """Raises `InvalidInput` for an event that the agency cannot send: of another sender, about no subject of its type,
    or about what is another agency's. `connection` reads the read models."""
    row = CATALOGUE[new.type]
    role = await connection.fetchval(SQL["role"], agency)
    if role is None or not may_send(role, row):
        sentence = Bilingual("لا ترسل {} أحداث {}.", "{} does not send {}.").format(agency, new.type)
        raise invalid_value(sentence, "/type")
    if new.subject is None:
        return
    if not re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(row.subject.pattern)), new.subject):
        sentence = Bilingual("موضوع {} يُكتب {}.", "The subject of {} is written {}.")
        raise invalid_value(sentence.format(new.type, row.subject.pattern), "/subject")
    kind, _, name = new.subject.partition("/")
    if kind not in _OWNED or not await connection.fetchval(SQL["is_table"], _OWNED[kind]):
        return
    # What is not known yet may become the agency's.
    if await connection.fetchval(SQL[f"owner_of_{kind}"], name) not in (None, agency):
        raise invalid_value(Bilingual("{} لجهة أخرى.", "{} is another agency's.").format(new.subject), "/subject")


async def add_expectation(desk: Desk, agency: str, new: NewExpectation) -> int:
    """Declare what the agency expects from now on; its id. Raises `NotFound` and `NotAllowedNow`."""
    wanted = (agency, new.type, new.subject, new.every_days, new.by_day)
    async with desk.changing(agency, "expectations add", agency, new.type) as connection:
        (row,) = await connection.fetch(SQL["same_expectation"], *wanted)
        if row["same"] is not None:
            sentence = Bilingual("التوقع {} يقول هذا نفسه.", "Expectation {} says the same.").format(row["same"])
            raise NotAllowedNow("already-exists", sentence)
        if row["number"] >= EXPECTATIONS_MAX:
            raise limit_reached(EXPECTATIONS_MAX, Bilingual("أنهِ توقعًا.", "end an expectation that is not needed."))
        expectation_id: int = await connection.fetchval(SQL["add_expectation"], *wanted)
    return expectation_id


async def end_expectation(desk: Desk, agency: str | None, expectation_id: int) -> None:
    """End it. Repeating it changes nothing. Raises `NotFound`."""
    owner = await desk.connection.fetchval(SQL["expectation_agency"], expectation_id, agency)
    if owner is None:
        raise NotFound(f"there is no expectation {expectation_id}: see `yesser expectations list`.")
    async with desk.changing(owner, "expectations end", owner, str(expectation_id)) as connection:
        await connection.execute(SQL["end_expectation"], expectation_id)


async def expectations_of(
    connection: Connection, agency: str | None, settings: Settings, *, after: int = -1, limit: int | None = None
) -> list[Expectation]:
    """What agencies expect, or one, by id, and whether it has come."""
    found = await silences(connection, settings, datetime.now(UTC), agency, after=after, limit=limit)
    states = [ExpectationState.KEPT if period is None else ExpectationState.SILENT for _, period in found]
    return [document_of(Expectation, asdict(each), state=state) for (each, _), state in zip(found, states, strict=True)]
