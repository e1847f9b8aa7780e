"""What a partnership may still bring, and what it would have brought under other terms."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, ClassVar, Final

from msgspec import Meta, Struct

from consumers.documents.document import Count, Halalas, Label, Listing, Period
from events.values.money import BASIS_POINTS


class SupposedFigures(Struct, frozen=True, kw_only=True):
    """The figures of a period under one assumption."""

    net_halalas: Halalas
    guarantee_halalas: Halalas
    top_up_halalas: Halalas
    recovered_halalas: Halalas
    partner_total_halalas: Halalas
    treasury_total_halalas: Halalas


class ForecastPeriod(Struct, frozen=True, kw_only=True):
    """A period of the term. A closed one has the figures of its statement under each assumption.

    People read its figures at the pace so far.
    """

    READ_FIRST: ClassVar = ("period", "closed", "expected_halalas", "net_halalas", "net_so_far_halalas")

    period: Annotated[Period, Label("الفترة", "Period")]
    closed: Annotated[bool, Label("مقفلة", "Closed")]
    expected_halalas: Annotated[Halalas, Label("المتوقع", "Expected")]
    net_so_far_halalas: Annotated[Halalas, Label("تحقق منه", "Of it so far", drop=2)]
    pace: SupposedFigures
    expected: SupposedFigures
    nothing: SupposedFigures

    @property
    def net_halalas(self) -> Annotated[Halalas, Label("الصافي بهذه الوتيرة", "Net at this pace")]:
        return self.pace.net_halalas

    @property
    def partner_total_halalas(self) -> Annotated[Halalas, Label("للشريك", "Partner", drop=1)]:
        return self.pace.partner_total_halalas

    @property
    def top_up_halalas(self) -> Annotated[Halalas, Label("منه التكملة", "Of which top-up")]:
        return self.pace.top_up_halalas

    @property
    def top_up_without_revenue_halalas(
        self,
    ) -> Annotated[Halalas, Label("التكملة إن توقف الإيراد", "Top-up without revenue", drop=3)]:
        return self.nothing.top_up_halalas


class TopUps(Struct, frozen=True, kw_only=True):
    """What the guarantee would still cost: the top-ups of the periods that are not closed, by assumption."""

    pace: Halalas
    expected: Halalas
    nothing: Halalas


class Forecast(Struct, frozen=True, kw_only=True):
    """All periods of the term."""

    partnership_id: str
    pace: Annotated[str | None, Meta(description="Net to expected of the closed periods, such as `79/100`.")]
    top_ups_to_come_halalas: TopUps
    periods: tuple[ForecastPeriod, ...]

    @property
    def pace_bp(self) -> int | None:
        """The pace in basis points, rounded down: `79/100` is 7,900."""
        return None if self.pace is None else int(Fraction(self.pace) * BASIS_POINTS)


class PricedFigures(Struct, frozen=True, kw_only=True):
    """The figures of a closed period under some terms."""

    net_halalas: Halalas
    partner_base_halalas: Halalas
    top_up_halalas: Halalas
    recovered_halalas: Halalas
    partner_total_halalas: Halalas
    treasury_total_halalas: Halalas


class ComparedPeriod(Struct, frozen=True, kw_only=True):
    """A side is null where that history does not close the period. Differences are what-if minus actual."""

    READ_FIRST: ClassVar = ("period", "partner_actual_halalas", "partner_what_if_halalas")

    period: Annotated[Period, Label("الفترة", "Period")]
    actual: PricedFigures | None
    what_if: PricedFigures | None
    partner_difference_halalas: Annotated[Halalas | None, Label("فرق الشريك", "Partner's difference")]
    treasury_difference_halalas: Annotated[Halalas | None, Label("فرق الخزينة", "Treasury's difference", drop=1)]

    @property
    def partner_actual_halalas(self) -> Annotated[Halalas | None, Label("للشريك فعلًا", "Partner, actual")]:
        return None if self.actual is None else self.actual.partner_total_halalas

    @property
    def partner_what_if_halalas(self) -> Annotated[Halalas | None, Label("للشريك بهذه الشروط", "Partner, these terms")]:
        return None if self.what_if is None else self.what_if.partner_total_halalas


class WhatIf(Struct, frozen=True, kw_only=True):
    """The real history of a partnership under other terms."""

    partnership_id: str
    periods: tuple[ComparedPeriod, ...]
    uncounted: Annotated[tuple[Count, ...], Meta(description="Entries that do not count under these terms.")]


FORECAST: Final = Listing("توقعات الشراكة بالريال", "Forecast of the partnership, in riyals", ForecastPeriod)
WHAT_IF: Final = Listing("الشراكة بشروط أخرى، بالريال", "The partnership under other terms, in riyals", ComparedPeriod)
