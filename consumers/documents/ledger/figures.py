"""A figure of a statement: how it follows from others, and the entries and transfers that made it."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from consumers.documents.document import Count, Period
from consumers.documents.ledger.ledger import ExplainedTransfer
from consumers.documents.ledger.statements import Share
from consumers.documents.log.explanations import EarlierSteps, Figures, Formula, WholeStep


class TermsInForce(Struct, frozen=True, kw_only=True):
    version: Count
    effective_from: Period
    index: Count


class ExplainedFigure(Struct, frozen=True, kw_only=True):
    """A derived figure of a statement, and its explanation."""

    partnership_id: str
    period: Period
    field: str
    value: int | None
    formula: Formula
    amounts: dict[str, int | None]
    terms: TermsInForce
    transfers: tuple[ExplainedTransfer, ...]
    shares: Annotated[tuple[Share, ...], Meta(description="Of `partner_base_halalas` only.")] | UnsetType = UNSET
    model: str
    key: str
    log_index: Count
    is_complete: bool
    figures: Figures
    start: Figures
    total: Figures
    ok: Annotated[bool, Meta(description="Whether the entries add up to the figure of the live table.")]
    steps_count: Count
    earlier: EarlierSteps | None
    steps: tuple[WholeStep, ...]
