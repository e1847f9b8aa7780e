"""Why a statement says what it says: each figure with its formula, terms and transfers, the base share band by band.

In: the rows of a fold of the partnership's entries, read while it is open. Each formula's result, from receipts,
reversals, terms and earlier statements, is compared with the statement.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Final, cast

from msgspec import UNSET, structs

from consumers.documents.document import document_of, documents_of
from consumers.documents.ledger.figures import DerivedFigure, ExplainedFigure, Formula, TermsInForce
from consumers.documents.ledger.ledger import RULES, ExplainedTransfer
from consumers.documents.ledger.partnerships import TermsVersion
from consumers.documents.ledger.statements import Share
from consumers.documents.ledger.statements import Statement as StatementDocument
from consumers.documents.log.explanations import Explanation
from consumers.explain.explain import Request, explain
from consumers.explain.sources import Source
from consumers.explain.statement_model import TRANSFERRED
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
    Statement,
    Transfer,
)
from consumers.revenue.statements.formulas import FORMULAS, formula_of, in_numbers, in_words, names_in, result
from consumers.revenue.statements.working import Posting, working_of
from events.errors import Halt
from events.values.calendar import CalendarName
from events.values.periods import PeriodKind, period_of

STEPS_MAX: Final = 100
"""Steps of a figure that are shown over HTTP."""


class WrongFigure(Halt):
    """A figure does not follow from its formula: compare the tables with a rebuild (`yesser rebuild --compare`)."""


@dataclass(frozen=True, slots=True)
class ExplainedStatement:
    """All fields of a statement."""

    partnership_id: str
    period: str
    terms: TermsInForce
    figures: Mapping[str, DerivedFigure]
    shares: Sequence[Share]


@dataclass(slots=True)
class Rows:
    """What is read from the fold beside the steps: the statement, and the transfers of the shown entries."""

    statement: ExplainedStatement | None = None
    transfers: list[Transfer] = field(default_factory=list)


async def explained_figure(source: Source, partnership_id: str, period: str, field: str) -> ExplainedFigure:
    """A figure of a statement with its formula, its transfers and the last entries that made it."""
    rows, asked = Rows(), Request("statements", f"{partnership_id}/{period}", field, STEPS_MAX)
    explanation = await explain(source, asked, lambda tracer: read_statement(tracer, partnership_id, period, rows))
    assert rows.statement is not None, "a statement that exists is read"
    return figure_document(rows.statement, field, rows.transfers, explanation)


def read_statement(tracer: Tracer, partnership_id: str, period: str, rows: Rows) -> None:
    """The statement and, where one figure is shown, the transfers that give to it."""
    rows.statement = explained_statement(tracer.store(REVENUE), partnership_id, period)
    shown = [TRANSFERRED[name].of for name in tracer.trace.end if name in TRANSFERRED]
    if len(shown) == 1:
        read_transfers(tracer, rows, lambda row: bool(shown[0](row.kind, row.period, row.amount_halalas, period)))


def read_transfers(tracer: Tracer, rows: Rows, counts: Callable[[Transfer], bool]) -> None:
    """Those transfers of the shown entries that count."""
    store = tracer.store(REVENUE)
    for step in tracer.trace.steps:
        rows.transfers += filter(counts, store.matching(TRANSFER, {"index": step.index}))


def figure_document(
    found: ExplainedStatement, figure: str, transfers: Sequence[Transfer], explanation: Explanation
) -> ExplainedFigure:
    return ExplainedFigure(
        partnership_id=found.partnership_id,
        period=found.period,
        terms=found.terms,
        transfers=tuple(map(transfer_document, transfers)),
        shares=tuple(found.shares) if figure == "partner_base_halalas" else UNSET,
        **structs.asdict(explanation) | structs.asdict(found.figures[figure]),
    )


def transfer_document(row: Transfer) -> ExplainedTransfer:
    return document_of(ExplainedTransfer, asdict(row), rule=RULES[row.kind])


def explained_statement(store: SqliteStore, partnership_id: str, period: str) -> ExplainedStatement:
    """Raises `WrongFigure` for a field that does not follow; the statement must exist."""
    statement = store.row(STATEMENT, partnership_id, period)
    contract = store.row(CONTRACT, partnership_id)
    assert statement is not None
    assert contract is not None
    number = version_for(contract.versions, period)
    versions = list(store.matching(VERSION, {"partnership_id": partnership_id}))
    guarantee = versions[number].terms["guarantee"]
    before = _before(store, partnership_id, period)
    kind, calendar = cast(PeriodKind, contract.period_kind), cast(CalendarName, contract.calendar)
    own = [posting for label, posting in postings_of(store, partnership_id) if label == period]
    dated = {posting.index: period_of(posting.dated_on, calendar, kind) for posting in own}
    expected = store.row(EXPECTED, partnership_id, number, period)
    sums = store.row(PERIOD, partnership_id, period)
    amounts: dict[str, int | None] = {
        **{name: value for name, value in asdict(statement).items() if name not in STATEMENT.key},
        "receipts_halalas": sum(posting.amount_halalas for posting in own if posting.amount_halalas > 0),
        "reversals_halalas": -sum(posting.amount_halalas for posting in own if posting.amount_halalas < 0),
        "prior_postings_halalas": sum(p.amount_halalas for p in own if dated[p.index] < period),
        "shares_halalas": sum(posting.partner_halalas for posting in own),
        "closing_before_halalas": 0 if before is None else before.closing_cumulative_halalas,
        "outstanding_before_halalas": 0 if before is None else before.top_up_outstanding_halalas,
        "floor_bp": 0 if guarantee is None else guarantee["partner_floor_bp_of_expected"],
        "agreed_halalas": 0 if expected is None else expected.amount_halalas,
        "version_in_force": number,
        "first_posting": own[0].index if own else None,
        "last_posting": own[-1].index if own else None,
        "closing_entry": None if sums is None else sums.closing_index,
    }
    figures = {}
    for name in FORMULAS:
        formula, value = formula_of(name, guarantee), getattr(statement, name)
        words, numbers, found = in_words(formula), in_numbers(formula, amounts), result(formula, amounts)
        if found != value:
            raise WrongFigure(
                f"{name} of {partnership_id} {period} is {value}, but {numbers} gives {found}. {WrongFigure.__doc__}"
            )
        figures[name] = DerivedFigure(
            field=name,
            value=value,
            formula=Formula(ar=words.ar, en=words.en, numbers=numbers),
            amounts={own: amounts[own] for own in names_in(formula)},
        )
    working = working_of(
        document_of(StatementDocument, asdict(statement)),
        documents_of(TermsVersion, map(asdict, versions)),
        own,
        amounts["outstanding_before_halalas"] or 0,
    )
    in_force = versions[number]
    terms = TermsInForce(version=number, effective_from=in_force.effective_from, index=in_force.index)
    return ExplainedStatement(partnership_id, period, terms, figures, [group.share for group in working.groups])


def _before(store: SqliteStore, partnership_id: str, period: str) -> Statement | None:
    """The statement of the period before."""
    earlier = [row for row in store.matching(STATEMENT, {"partnership_id": partnership_id}) if row.period < period]
    return max(earlier, key=lambda row: row.period, default=None)


def postings_of(store: SqliteStore, partnership_id: str) -> list[tuple[str, Posting]]:
    """The receipts and reversals of a partnership in log order, each with the period that it is posted to."""
    where = {"partnership_id": partnership_id}
    receipts = list(store.matching(RECEIPT, where))
    services = {row.receipt_id: row.service_id for row in receipts}
    found = [
        (row.first_index, row.receipt_id, row.collected_on, row.service_id, 1, row.amount_halalas, row)
        for row in receipts
    ] + [
        (row.index, row.reversal_id, row.reversed_on, services[row.receipt_id], -1, row.amount_halalas, row)
        for row in store.matching(REVERSAL, where)
    ]
    found.sort(key=lambda posting: posting[0])
    cumulative: dict[int, int] = {}
    postings = []
    for index, id_, dated_on, service_id, sign, amount, row in found:
        window = row.window_number
        before = cumulative.get(window, 0)
        cumulative[window] = before + sign * amount
        posting = Posting(
            index,
            id_,
            dated_on,
            service_id,
            sign * amount,
            row.contract_version,
            window,
            before,
            sign * row.partner_halalas,
            sign * row.treasury_halalas,
        )
        postings.append((row.period, posting))
    return postings
