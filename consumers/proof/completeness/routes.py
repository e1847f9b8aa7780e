"""`/v1/completeness/months`: which sequence numbers of each agency are missing in a month, as the registrar read them.

`yesser audit completeness` derives the same from the entries alone.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response
from msgspec import convert

from consumers.api.access import narrowed, programme_scope
from consumers.api.parameters import After, AgencyCode, Limit, cursor_of, text_after
from consumers.api.reader import ReadAnswer, Reader, read_route
from consumers.api.routes import router_of
from consumers.documents.log.entries import AgencyMonth, CompletenessStatus, Months
from events.values.completeness import completeness_status
from infra.json_documents import with_long_numbers_as_texts
from infra.postgres.sql import queries

_SQL: Final = queries("consumers.proof.completeness", "routes.sql")
Month = Annotated[
    str | None,
    Query(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$", description="Gregorian, by recorded time in Riyadh; else the newest."),
]


routes: Final = APIRouter(tags=["log"], default_response_class=Response)
router: Final = router_of(routes)


@read_route(
    routes,
    "/v1/completeness/months",
    "months",
    "Missing sequence numbers of a month by agency",
    "The months that have numbers, and each agency's numbers of one of them. A number beyond 53 bits is a text.",
    tagged=False,
)
async def months_for(
    reader: Reader, month: Month = None, agency: AgencyCode = None, limit: Limit = 100, after: After = None
) -> ReadAnswer[Months]:
    """The numbers of a month are those above the highest read before it, up to the highest read in it.\f

    The months, and a page of the agencies in this one, or in the newest. Raises `Problem` (403, 422, 503).
    """
    scope, key = narrowed(programme_scope(reader.caller), agency), text_after(after)
    async with reader.reads.connection() as connection:
        known = [row["month"] for row in await connection.fetch(_SQL["months"])]
        chosen = month or (known[0] if known else None)
        rows = await connection.fetch(_SQL["agencies"], chosen, scope.agency, key, limit + 1)
    agency_months = tuple(_row(row) for row in rows[:limit])
    following = cursor_of((agency_months[-1].agency,)) if len(rows) > limit else None
    return ReadAnswer(Months(month=chosen, months=tuple(known), agencies=agency_months), next=following)


def _row(row: Any) -> AgencyMonth:
    first, last = row["first"], row["last"]
    has_numbers = first is not None and last is not None and first <= last
    missing = int(row["missing_count"] or 0) if has_numbers and row["overflowed_index"] is None else None
    return AgencyMonth(
        agency=row["agency"],
        status=convert(_status(row, missing), CompletenessStatus),
        first=with_long_numbers_as_texts(int(first)) if has_numbers else None,
        last=with_long_numbers_as_texts(int(last)) if has_numbers else None,
        missing_count=with_long_numbers_as_texts(missing),
    )


def _status(row: Any, missing: int | None) -> str:
    """A month without a highest number has none, one whose highest number is an earlier month's has none of its own."""
    if row["last"] is None:
        return "no-numbers-sent"
    return completeness_status(missing, is_overflowed=row["overflowed_index"] is not None)
