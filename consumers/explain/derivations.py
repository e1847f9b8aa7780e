"""How figures follow, beside the entries that made them: formulas with their numbers, terms, shares by band, transfers.

In: the rows of a fold, read while it is open. Each formula's result, from receipts, reversals, terms and earlier
statements, is compared with the statement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from operator import attrgetter
from typing import Final, cast

from consumers.documents.document import document_of, documents_of
from consumers.documents.formulas import derived, result
from consumers.documents.ledger.ledger import RULES, ExplainedTransfer
from consumers.documents.ledger.partnerships import TermsVersion
from consumers.documents.ledger.statements import Share, TermsInForce
from consumers.documents.ledger.statements import Statement as StatementDocument
from consumers.documents.log.explanations import DerivedFigure
from consumers.explain.statement_formulas import FORMULAS, LABELS, formula_of
from consumers.explain.statement_model import MOVED, SUMS
from consumers.explain.trace import Tracer
from consumers.proof.offline.store import SqliteStore
from consumers.revenue.consumer import CONSUMER as REVENUE
from consumers.revenue.handlers.book import version_for
from consumers.revenue.rows import (
    CONTRACT,
    EXPECTED,
    PERIOD,
    RECEIPT,
    REVERSAL,
    STATEMENT,
    TRANSFER,
    VERSION,
    Transfer,
)
from consumers.revenue.statements.working import Posting, working_of
from events.errors import Halt
from events.values.bilingual import Bilingual
from events.values.calendar import CalendarName
from events.values.periods import PeriodKind, period_of
from infra.postgres.unit_of_work import Key

_SIDES: Final[Mapping[str, tuple[str, ...]]] = {
    "balance_halalas": ("debit", "credit"),
    "debits_halalas": ("debit",),
    "credits_halalas": ("credit",),
}
"""Field of an account → the sides on which its transfers have the account."""


class WrongFigure(Halt):
    """A figure does not follow from its formula: compare the tables with a rebuild (`yesser rebuild --compare`)."""


@dataclass(frozen=True, slots=True)
class Derivation:
    """`figures` by field, and `labels` of the amounts in their formulas. `terms` in force and `shares` by band: of a
    statement. `transfers`: of the shown entries."""

    figures: Mapping[str, DerivedFigure] = field(default_factory=dict)
    labels: Mapping[str, Bilingual] = field(default_factory=dict)
    terms: TermsInForce | None = None
    shares: tuple[Share, ...] = ()
    transfers: tuple[ExplainedTransfer, ...] = ()


def derivation_of(model: str, key: Key, field: str | None, tracer: Tracer) -> Derivation:
    """How the figures of a key follow, or the one of a field. Raises `WrongFigure`."""
    if model == "accounts":
        sides = _SIDES.get(field or "", ())
        return Derivation(transfers=_transfers(tracer, lambda row: any(getattr(row, side) == key[0] for side in sides)))
    if model != "statements":
        return Derivation(tracer.derived(), tracer.labels())
    derivation = statement_derivation(tracer.store(REVENUE), *key)
    if field is None or field not in {*MOVED, *SUMS}:
        return derivation
    figure = tracer.figures[field]
    return replace(derivation, transfers=_transfers(tracer, lambda row: result(figure, lambda part: part.of(row)) != 0))


def statement_derivation(store: SqliteStore, partnership_id: str, period: str) -> Derivation:
    """Raises `WrongFigure` for a field that does not follow; the statement must exist."""
    of_partnership = {"partnership_id": partnership_id}
    statement, contract = store.row(STATEMENT, partnership_id, period), store.row(CONTRACT, partnership_id)
    assert statement is not None
    assert contract is not None
    number = version_for(contract.versions, period)
    versions = list(store.matching(VERSION, of_partnership))
    in_force, guarantee = versions[number], versions[number].terms["guarantee"]
    earlier = [row for row in store.matching(STATEMENT, of_partnership) if row.period < period]
    before = max(earlier, key=attrgetter("period"), default=None)
    kind, calendar = cast(PeriodKind, contract.period_kind), cast(CalendarName, contract.calendar)
    own = postings_of(store, partnership_id, period)
    expected, sums = store.row(EXPECTED, partnership_id, number, period), store.row(PERIOD, partnership_id, period)
    outstanding = 0 if before is None else before.top_up_outstanding_halalas
    amounts: dict[str, int | None] = {
        **{name: getattr(statement, name) for name in FORMULAS},
        "receipts_halalas": sum(posting.amount_halalas for posting in own if posting.amount_halalas > 0),
        "reversals_halalas": -sum(posting.amount_halalas for posting in own if posting.amount_halalas < 0),
        "prior_postings_halalas": sum(
            posting.amount_halalas for posting in own if period_of(posting.dated_on, calendar, kind) < period
        ),
        "shares_halalas": sum(posting.partner_halalas for posting in own),
        "closing_before_halalas": 0 if before is None else before.closing_cumulative_halalas,
        "outstanding_before_halalas": outstanding,
        "floor_bp": 0 if guarantee is None else guarantee["partner_floor_bp_of_expected"],
        "agreed_halalas": 0 if expected is None else expected.amount_halalas,
        "version_in_force": number,
        "first_posting": own[0].index if own else None,
        "last_posting": own[-1].index if own else None,
        "closing_entry": None if sums is None else sums.closing_index,
    }
    figures = {
        name: derived(name, formula_of(name, guarantee), lambda amount: amounts[amount.name]) for name in FORMULAS
    }
    for name, found in figures.items():
        if found.value != amounts[name]:
            raise WrongFigure(
                f"{name} of {partnership_id} {period} is {amounts[name]}, but {found.formula.numbers} gives "
                f"{found.value}. {WrongFigure.__doc__}"
            )
    stated = document_of(StatementDocument, asdict(statement))
    working = working_of(stated, documents_of(TermsVersion, map(asdict, versions)), own, outstanding)
    terms = TermsInForce(version=number, effective_from=in_force.effective_from, index=in_force.index)
    return Derivation(figures, LABELS, terms, tuple(group.share for group in working.groups))


def _transfers(tracer: Tracer, counts: Callable[[Transfer], bool]) -> tuple[ExplainedTransfer, ...]:
    """Those transfers of the shown entries that count."""
    store = tracer.store(REVENUE)
    rows = (row for step in tracer.trace.steps for row in store.matching(TRANSFER, {"index": step.index}))
    return tuple(document_of(ExplainedTransfer, asdict(row), rule=RULES[row.kind]) for row in rows if counts(row))


def postings_of(store: SqliteStore, partnership_id: str, period: str) -> list[Posting]:
    """The receipts and reversals that are posted to a period, in log order."""
    return sorted(_postings(store, {"partnership_id": partnership_id, "period": period}), key=attrgetter("index"))


def _postings(store: SqliteStore, where: Mapping[str, str]) -> Iterator[Posting]:
    for row in store.matching(RECEIPT, where):
        yield Posting(
            row.first_index, row.receipt_id, row.collected_on, row.service_id, row.amount_halalas,
            row.contract_version, row.window_number, row.before_halalas, row.partner_halalas, row.treasury_halalas,
        )  # fmt: skip
    for back in store.matching(REVERSAL, where):
        receipt = store.row(RECEIPT, back.partnership_id, back.receipt_id)
        assert receipt is not None, "a reversal that counts is of a receipt that counts"
        yield Posting(
            back.index, back.reversal_id, back.reversed_on, receipt.service_id, -back.amount_halalas,
            back.contract_version, back.window_number, back.before_halalas, -back.partner_halalas,
            -back.treasury_halalas,
        )  # fmt: skip
