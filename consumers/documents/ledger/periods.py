"""The periods of a partnership: what is expected of them, and what came."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Struct

from consumers.documents.document import Count, Halalas, Label, Listing, Period


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
