"""A figure of a statement as one document: its formula, terms, transfers and, of the base share, the bands.

What is beside the steps of the trace is read from the fold's own rows while it is open.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field

from msgspec import UNSET, structs

from consumers.documents.document import document_of
from consumers.documents.ledger.figures import ExplainedFigure
from consumers.documents.ledger.ledger import RULES, ExplainedTransfer
from consumers.documents.log.explanations import Explanation
from consumers.explain.statement_model import TRANSFERRED
from consumers.explain.trace import Tracer
from consumers.ledger.explained_statement import ExplainedStatement, explained_statement
from consumers.revenue.consumer import CONSUMER as REVENUE
from consumers.revenue.rows import TRANSFER, Transfer


@dataclass(slots=True)
class Rows:
    """What is read from the fold beside the steps: the statement, and the transfers of the shown entries."""

    statement: ExplainedStatement | None = None
    transfers: list[Transfer] = field(default_factory=list)


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
        **structs.asdict(explanation) | structs.asdict(found.derivations[figure].document()),
    )


def transfer_document(row: Transfer) -> ExplainedTransfer:
    return document_of(ExplainedTransfer, asdict(row), rule=RULES[row.kind])
