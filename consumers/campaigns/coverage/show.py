"""Coverage as tables in Arabic and English, and as CSV with a row for each service and channel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from rich.console import RenderableType

from consumers.campaigns.coverage.read import CHANNELS
from consumers.campaigns.show import not_judged
from infra.command_line.display import Column, Grid
from infra.command_line.language import localized
from infra.command_line.table_files import csv_text

_COLUMNS: Final = (
    *("service_id", "name_ar", "name_en", "agency", "plan_id", "group", "launched_on"),
    *("channel", "airings", "reach", "first_aired_on", "days_to_first_airing"),
)

Row = Mapping[str, Any]


def coverage_tables(document: Row) -> Iterator[RenderableType]:
    """The services, then the totals by agency, then what of it is not judged."""
    yield _services_table(document["services"])
    yield ""
    yield _agencies_table(document)
    if "not_judged" in document:
        yield not_judged()


def coverage_csv(services: Iterable[Row]) -> str:
    """One row for each service and channel, also for those without an airing."""
    return csv_text(_COLUMNS, (cells for service in services for cells in _cells(service)))


def _cells(service: Row) -> Iterator[tuple[int | str | None, ...]]:
    about = (service[name] for name in ("agency", "plan_id", "group", "launched_on"))
    shared = (service["service_id"], service["name"]["ar"], service["name"]["en"], *about)
    for channel in CHANNELS:
        aired = service["channels"][channel]
        figures = (aired[name] for name in ("airings", "reach", "first_aired_on", "days_to_first_airing"))
        yield (*shared, channel, *figures)


def _services_table(services: Iterable[Row]) -> Grid:
    columns = [
        Column("الخدمة", "Service"),
        Column("الجهة", "Agency", drop=1),
        Column("الإطلاق", "Launched", drop=4),
        Column("البث", "TV·radio·print", right=True),
        Column("الوصول", "Reach", drop=3, right=True),
        Column("أيام إلى أول بث", "Days to first airing", drop=2, right=True),
    ]
    rows = [
        [
            service["service_id"],
            service["agency"],
            service["launched_on"],
            " · ".join(str(service["channels"][channel]["airings"]) for channel in CHANNELS),
            f"{service['reach']:,}",
            localized("لم تُبث", "silent") if service["silent"] else _days(service["days_to_first_airing"]),
        ]
        for service in services
    ]
    return Grid(localized("التغطية الإعلامية", "Coverage"), columns, rows)


def _agencies_table(document: Row) -> Grid:
    columns = [
        Column("الجهة", "Agency"),
        Column("المطلقة", "Launched", right=True),
        Column("في الثلاث", "On all three", drop=1, right=True),
        Column("لم تُبث", "Silent", right=True),
        Column("مرات البث", "Airings", drop=3, right=True),
        Column("الوصول", "Reach", drop=2, right=True),
        Column("وسيط الأيام", "Median days", drop=4, right=True),
    ]
    rows = [[row["agency"], *_figures(row)] for row in document["agencies"]]
    totals = [localized("المجموع", "Total"), *_figures(document["total"])]
    return Grid(localized("حسب الجهة", "By agency"), columns, rows, totals)


def _figures(row: Row) -> list[str | None]:
    counts = (row[name] for name in ("launched_services", "on_all_three", "silent", "airings", "reach"))
    return [*(f"{count:,}" for count in counts), _days(row["median_days_to_first_airing"])]


def _days(days: int | None) -> str | None:
    return None if days is None else str(days)
