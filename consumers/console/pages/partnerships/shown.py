"""What the pages show of a partnership: a row of the list, and its amounts."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup
from msgspec.structs import asdict

from consumers.api.resources.partnerships import partnership_for
from consumers.console.page_request import Visit
from consumers.console.pages.audit.values import formula_line
from consumers.documents.document import document_of
from consumers.documents.formulas import derived
from consumers.documents.ledger.partnerships import ListedPartnership, Partnership, PartnershipAndTerms
from consumers.documents.ledger.periods import OpenPeriod
from consumers.documents.ledger.statements import Guarantee
from consumers.explain.statement_formulas import FORMULAS


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
