"""Partnerships: contracts that share the revenue of services with a private partner (events.md §4); what is expected of
their periods, and what came.
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

from consumers.documents.document import (
    AgencyCode,
    Count,
    Date,
    Halalas,
    Label,
    Labelled,
    Listing,
    Name,
    Period,
    ServiceIds,
)
from events.values.data import Data


class OpenPeriod(Struct, frozen=True, kw_only=True):
    """The open period of a partnership: null where all are closed."""

    partnership_id: str
    period: Period | None
    expected_halalas: Halalas
    net_halalas: Halalas


class RevenuePeriod(Struct, frozen=True, kw_only=True):
    """A period with something expected, posted or closed. Of an open one `net_halalas` is what came so far."""

    period: Annotated[Period, Label("الفترة", "Period")]
    contract_version: Annotated[Count, Label("النسخة", "Version", is_detail=True)]
    closed: Annotated[bool, Label("مقفلة", "Closed", is_detail=True)]
    expected_halalas: Annotated[Halalas, Label("المتوقع", "Expected")]
    net_halalas: Annotated[Halalas, Label("الصافي", "Net")]
    partner_total_halalas: Annotated[Halalas | None, Label("إجمالي الشريك", "Partner, total")]
    treasury_total_halalas: Annotated[Halalas | None, Label("إجمالي الخزينة", "Treasury, total")]
    top_up_halalas: Annotated[Halalas | None, Label("منه التكملة", "Of which top-up")]
    recovered_halalas: Annotated[Halalas | None, Label("المسترد", "Recovered", is_detail=True)]
    closing_index: Annotated[Count | None, Label("قيد الإقفال", "Closing entry", is_detail=True)]


class ExpectedPeriod(Struct, frozen=True, kw_only=True):
    """What the version in force expects of a period; with the figures of its statement if it is closed."""

    period: Annotated[Period, Label("الفترة", "Period")]
    expected_halalas: Annotated[Halalas, Label("المتوقع", "Expected")]
    contract_version: Annotated[Count, Label("النسخة", "Version", drop=2)]
    net_halalas: Annotated[Halalas | None, Label("الصافي", "Net")]
    partner_total_halalas: Annotated[Halalas | None, Label("إجمالي الشريك", "Partner, total")]
    top_up_halalas: Annotated[Halalas | None, Label("منه التكملة", "Of which top-up", drop=1)]


PERIODS: Final = Listing("الفترات والكشوف", "Periods and statements", RevenuePeriod)
EXPECTED: Final = Listing("المتوقع والفعلي بالريال", "Expected and actual, in riyals", ExpectedPeriod)


class PartnershipState(Labelled):
    IN_FORCE = "in-force", "سارية", "In force", "good"
    ALL_CLOSED = "all-closed", "كل فتراتها مقفلة", "All periods closed", "quiet"
    TERMINATED = "terminated", "أُنهيت", "Terminated", "late"


class Calendar(Labelled):
    GREGORIAN = "gregorian", "التقويم الميلادي", "Gregorian calendar"
    UMM_AL_QURA = "umm-al-qura", "تقويم أم القرى", "Umm al-Qura calendar"


class PeriodKind(Labelled):
    MONTH = "month", "شهر", "Month"
    QUARTER = "quarter", "ربع سنة", "Quarter"


class TierBasis(Labelled):
    LIFETIME = "lifetime", "مدة العقد كلها", "The whole term"
    CONTRACT_YEAR = "contract-year", "كل سنة من العقد", "Each contract year"


Owed = Annotated[
    Halalas,
    Label("المستحق للشريك", "Owed to the partner"),
    Meta(description="Of all closed periods, less what was paid (R13). The account has what is not closed, too."),
]


class Partner(Struct, frozen=True):
    name: Annotated[Name, Label("الشريك", "Partner")]
    partner_id: str


class Partnership(Struct, frozen=True, kw_only=True):
    """A contract as it is now."""

    partnership_id: Annotated[str, Label("الشراكة", "Partnership")]
    agency: Annotated[AgencyCode, Label("الجهة", "Agency")]
    partner: Annotated[Partner, Label("الشريك", "Partner")]
    services: Annotated[ServiceIds, Label("الخدمات", "Services", is_detail=True)]
    legal_basis: Annotated[Name, Label("السند النظامي", "Legal basis", is_detail=True)]
    signed_on: Annotated[Date, Label("التوقيع", "Signed on", is_detail=True)]
    starts_on: Annotated[Date, Label("من", "From", drop=1)]
    ends_on: Annotated[Date, Label("إلى", "To", drop=1)]
    terminated_on: Annotated[Date | None, Label("الإنهاء", "Terminated on", drop=2)]
    calendar: Annotated[Calendar, Label("التقويم", "Calendar", is_detail=True)]
    period: Annotated[PeriodKind, Label("نوع الفترة", "Kind of period", is_detail=True)]
    tier_basis: Annotated[TierBasis, Label("أساس الشرائح", "Basis of the bands", is_detail=True)]
    first_period: Period
    last_period: Period
    closed_through: Period | None
    open_period: Annotated[Period | None, Label("الفترة المفتوحة", "Open period", drop=1)]
    payable_halalas: Owed
    top_up_outstanding_halalas: Halalas
    first_index: Count
    last_index: Count

    @property
    def state(self) -> Annotated[PartnershipState, Label("الحالة", "State", drop=3)]:
        return state_of(self)

    @property
    def last_day(self) -> str:
        return self.terminated_on or self.ends_on


class TermsVersion(Struct, frozen=True, kw_only=True):
    """The terms as signed (version 0) or as amended, without what they expect of each period."""

    version: Count
    effective_from: Period
    terms: Data
    reason: Name | None
    index: Count


class ExpectingVersion(TermsVersion, frozen=True, kw_only=True):
    """With the sum that it expects of the periods from its first on."""

    expected_halalas: Halalas


class PartnershipAndTerms(Partnership, frozen=True, kw_only=True):
    versions: tuple[TermsVersion, ...]


class PartnershipAndRevenue(Partnership, frozen=True, kw_only=True):
    versions: tuple[ExpectingVersion, ...]
    expected: tuple[ExpectedPeriod, ...]


class ListedPartnership(Struct, frozen=True, kw_only=True):
    """A partnership with its open period, as files have it."""

    partnership_id: Annotated[str, Label("الشراكة", "Partnership")]
    agency: Annotated[AgencyCode, Label("الجهة", "Agency")]
    partner_id: Annotated[str, Label("رمز الشريك", "Partner's code")]
    partner_name: Annotated[Name, Label("الشريك", "Partner")]
    services: Annotated[ServiceIds, Label("الخدمات", "Services")]
    terminated_on: Annotated[Date | None, Label("الإنهاء", "Terminated on")]
    open_period: Annotated[Period | None, Label("الفترة المفتوحة", "Open period")]
    expected_halalas: Annotated[Halalas, Label("المتوقع", "Expected")]
    net_halalas: Annotated[Halalas, Label("الصافي", "Net")]
    payable_halalas: Owed

    @property
    def state(self) -> PartnershipState:
        return state_of(self)


def state_of(partnership: Partnership | ListedPartnership) -> PartnershipState:
    if partnership.terminated_on is not None:
        return PartnershipState.TERMINATED
    return PartnershipState.ALL_CLOSED if partnership.open_period is None else PartnershipState.IN_FORCE


PARTNERSHIPS: Final = Listing("الشراكات مع القطاع الخاص", "Partnerships with the private sector", Partnership)
LISTED: Final = Listing("الشراكات", "Partnerships", ListedPartnership)
