"""The pages of a statement: its working, the explanation of each figure, and its files; and what other pages show of a
partnership.
"""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import APIRouter, Response
from markupsafe import Markup
from msgspec.structs import asdict

from consumers.api.parameters import AsOfIndex, Id, Period
from consumers.api.resources.partnerships import FILES, partnership_for, statement_file_for
from consumers.console.page_request import Visit, Visiting, attachment
from consumers.console.pages.audit.entry import exact_money, formula_line
from consumers.console.pages.audit.explain_pages import figure_page
from consumers.documents.document import document_of
from consumers.documents.formulas import derived
from consumers.documents.ledger.partnerships import ListedPartnership, OpenPeriod, Partnership, PartnershipAndTerms
from consumers.documents.ledger.statements import BandShare, Guarantee
from consumers.explain.ledger.over_http.routes import ZIP, closed, proof_for, working_for
from consumers.explain.statement_formulas import FORMULAS
from consumers.revenue.statements.paper import settled_paid_owed
from consumers.revenue.statements.words import band_text
from events.values.periods import days_of
from infra.http.problems import Problem


def listed(partnerships: Iterable[Partnership], open_periods: Iterable[OpenPeriod]) -> list[ListedPartnership]:
    """Each partnership with its open period."""
    by_id = {row.partnership_id: {**asdict(row), "open_period": row.period} for row in open_periods}
    nothing = {"open_period": None, "expected_halalas": 0, "net_halalas": 0}
    return [
        document_of(
            ListedPartnership,
            {**asdict(own), **by_id.get(own.partnership_id, nothing)},
            partner_id=own.partner.partner_id,
            partner_name=own.partner.name,
        )
        for own in partnerships
    ]


async def partnership_of(visit: Visit, partnership_id: str) -> PartnershipAndTerms:
    return (await partnership_for(visit.reader, partnership_id)).document


def guarantee_formula(guarantee: Guarantee | None) -> Markup:
    """Rate × expected = guaranteed, in riyals."""
    if guarantee is None:
        return Markup("")
    amounts = {"floor_bp": guarantee.partner_floor_bp_of_expected, "expected_halalas": guarantee.expected_halalas}
    name = "guarantee_halalas"
    return formula_line(derived(name, FORMULAS[name], lambda amount: amounts[amount.name]))


routes = APIRouter()


@routes.get("/partnerships/{partnership_id}/statements/{period}")
async def statement(visit: Visiting, partnership_id: Id, period: Period) -> Response:
    own = await partnership_of(visit, partnership_id)
    found = await working_for(visit.reader, partnership_id, period)
    working = found.document
    first, last = days_of(period, own.calendar.value)
    return visit.page(
        "partnerships/statement.html",
        own=own,
        period=period,
        first=max(first, own.starts_on),
        last=min(last, own.last_day),
        working=working,
        band=BandShare,
        band_words=band_text,
        exact=lambda halalas: exact_money(visit.words, halalas),
        guarantee_formula=guarantee_formula(working.guarantee),
        files=tuple(FILES),
        owed=settled_paid_owed(sum(one.amount_halalas for one in working.payouts), working.payable_halalas),
        log_index=found.log_index,
    )


@routes.get("/partnerships/{partnership_id}/statements/{period}/files/{name}")
async def statement_file(visit: Visiting, partnership_id: Id, period: Period, name: str) -> Response:
    if name not in FILES:
        raise Problem("not-found")
    content = (await statement_file_for(visit.reader, partnership_id, period, name)).document
    return attachment(content, FILES[name], f"{partnership_id}-{period}.{name}")


@routes.get("/partnerships/{partnership_id}/statements/{period}/proof")
async def proof(visit: Visiting, partnership_id: Id, period: Period) -> Response:
    content = (await proof_for(visit.reader, partnership_id, period)).document
    return attachment(content, ZIP, f"{partnership_id}-{period}.zip")


@routes.get("/partnerships/{partnership_id}/statements/{period}/explain/{field}")
async def explained(
    visit: Visiting, partnership_id: Id, period: Period, field: str, before: AsOfIndex = None
) -> Response:
    if field not in FORMULAS:
        raise Problem("not-found")
    key = f"{partnership_id}/{period}/{field}"
    return await figure_page(visit, "statements", key, before, closed(partnership_id, period))
