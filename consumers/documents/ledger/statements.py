"""The statement of a closed period, how its figures follow (events.md §4 and §5), and the entries and transfers that
made one of them.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Final, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from consumers.documents.document import Count, Date, Halalas, Label, Listing, Period
from consumers.documents.ledger.ledger import ExplainedTransfer
from consumers.documents.ledger.partnerships import Owed
from consumers.documents.log.explanations import EarlierSteps, Figures, Formula, WholeStep

Exact = Annotated[
    int | str, Meta(description="Halalas; a fraction of one as text, such as `79/20`; null: without a bound.")
]
BandKind = Literal["below-zero", "band", "beyond-cap"]


class Statement(Struct, frozen=True, kw_only=True):
    """The figures of a closed period (R12)."""

    partnership_id: str
    period: Annotated[Period, Label("الفترة", "Period")]
    contract_version: Annotated[Count, Label("نسخة العقد", "Contract version", is_detail=True)]
    opening_cumulative_halalas: Annotated[
        Halalas, Label("الرصيد التراكمي الافتتاحي", "Opening cumulative", is_detail=True)
    ]
    collected_halalas: Annotated[Halalas, Label("الإيراد المحصّل", "Collected", is_detail=True)]
    reversed_halalas: Annotated[Halalas, Label("المردود", "Reversed", is_detail=True)]
    net_halalas: Annotated[Halalas, Label("الصافي", "Net")]
    prior_period_halalas: Annotated[Halalas, Label("منه عن فترات مقفلة", "Of which for closed periods", is_detail=True)]
    closing_cumulative_halalas: Annotated[
        Halalas, Label("الرصيد التراكمي الختامي", "Closing cumulative", is_detail=True)
    ]
    partner_base_halalas: Annotated[Halalas, Label("حصة الشريك الأساسية", "Partner's base share", is_detail=True)]
    guarantee_halalas: Annotated[Halalas, Label("الحد المضمون", "Guaranteed", is_detail=True)]
    top_up_halalas: Annotated[Halalas, Label("تكملة الضمان", "Top-up", is_detail=True)]
    recovered_halalas: Annotated[Halalas, Label("المسترد من التكملة", "Recovered", is_detail=True)]
    top_up_outstanding_halalas: Annotated[Halalas, Label("التكملة القائمة", "Top-up outstanding", is_detail=True)]
    partner_total_halalas: Annotated[Halalas, Label("إجمالي حصة الشريك", "Partner's share, total")]
    treasury_total_halalas: Annotated[Halalas, Label("إجمالي حصة الخزينة", "Treasury's share, total")]
    expected_halalas: Annotated[Halalas, Label("الإيراد المتوقع", "Expected revenue", is_detail=True)]
    first_index: Annotated[Count | None, Label("رقم أول قيد", "First log entry", is_detail=True)]
    last_index: Annotated[Count | None, Label("رقم آخر قيد", "Last log entry", is_detail=True)]
    closing_index: Annotated[Count, Label("رقم قيد الإقفال", "Log entry that closed it", drop=1)]


class BandShare(Struct, frozen=True, kw_only=True):
    """Amount × rate = share, of one band of the cumulative revenue."""

    kind: BandKind
    above_halalas: Exact | None
    up_to_halalas: Exact | None
    amount_halalas: Annotated[Exact, Label("المبلغ", "Amount")]
    rate_bp: Annotated[Count, Label("× النسبة", "× rate")]
    share_halalas: Annotated[Exact, Label("= الحصة", "= share")]


class Share(Struct, frozen=True, kw_only=True):
    """How the partner's share of the postings under one version and in one window follows, band by band.

    `cumulative_halalas` are the sums before and after each run of postings without another period's between them.
    """

    contract_version: Count
    window: Count
    postings: Count
    cumulative_halalas: tuple[tuple[Halalas, ...], ...]
    bands: tuple[BandShare, ...]
    exact_halalas: Exact
    rounding_halalas: Exact
    partner_halalas: Halalas


class Guarantee(Struct, frozen=True, kw_only=True):
    """R12: rate × expected = guaranteed; what the base lacks is topped up, what it exceeds recovers top-ups."""

    partner_floor_bp_of_expected: Count
    recoverable: bool
    expected_halalas: Halalas
    guarantee_halalas: Halalas
    top_up_outstanding_before_halalas: Halalas


class Payout(Struct, frozen=True, kw_only=True):
    payout_id: Annotated[str, Label("الصرف", "Payout")]
    amount_halalas: Annotated[Halalas, Label("المبلغ", "Amount")]
    paid_on: Annotated[Date, Label("التاريخ", "Date")]
    index: Annotated[Count, Label("القيد", "Log entry")]


class Checkpoint(Struct, frozen=True, kw_only=True):
    size: Count
    root: str


class StatementWorking(Struct, frozen=True, kw_only=True):
    """A statement, and everything that its figures follow from."""

    statement: Statement
    shares: tuple[Share, ...]
    guarantee: Guarantee | None
    payouts: tuple[Payout, ...]
    payable_halalas: Owed
    checkpoint: Checkpoint | None


class DayShare(Struct, frozen=True, kw_only=True):
    """What the postings of one day moved within one band of one version."""

    dated_on: Date
    contract_version: Count
    kind: BandKind
    above_halalas: Exact | None
    up_to_halalas: Exact | None
    postings: Count
    amount_halalas: Exact
    rate_bp: Count
    share_halalas: Exact


class WorkingAndDays(StatementWorking, frozen=True, kw_only=True):
    days: tuple[DayShare, ...] | None


def exact_halalas(halalas: Fraction | int) -> int | str:
    """A whole number of halalas, or a common fraction as text (`79/20`)."""
    return halalas.numerator if halalas.denominator == 1 else str(halalas)


STATEMENTS: Final = Listing("كشوف الشراكة بالريال", "Statements of the partnership, in riyals", Statement)


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
