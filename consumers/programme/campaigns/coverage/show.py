"""Coverage as tables in Arabic and English, and as CSV with a row for each service and channel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import UNSET
from rich.console import RenderableType

from consumers.documents.campaigns.campaigns import (
    AGENCIES,
    CHANNELS,
    SERVICES,
    ChannelCoverage,
    Coverage,
    ServiceCoverage,
)
from consumers.documents.tables import grid
from consumers.programme.campaigns.show import not_judged
from infra.command_line.table_files import csv_text

_COLUMNS: Final = (
    *("service_id", "name_ar", "name_en", "agency", "plan_id", "group", "launched_on"),
    *("channel", "airings", "reach", "first_aired_on", "days_to_first_airing"),
)


def coverage_tables(document: Coverage) -> Iterator[RenderableType]:
    """The services, then the totals by agency, then what of it is not judged."""
    yield grid(SERVICES, document.services)
    yield ""
    yield grid(AGENCIES, document.agencies, document.total)
    if document.not_judged is not UNSET:
        yield not_judged()


def coverage_csv(services: Iterable[ServiceCoverage]) -> str:
    """One row for each service and channel, also for those without an airing."""
    return csv_text(_COLUMNS, (cells for service in services for cells in _cells(service)))


def _cells(service: ServiceCoverage) -> Iterator[tuple[int | str | None, ...]]:
    about = (service.agency, service.plan_id, service.group, service.launched_on)
    shared = (service.service_id, service.name.ar, service.name.en, *about)
    for channel in CHANNELS:
        aired: ChannelCoverage = getattr(service.channels, channel)
        yield (*shared, channel, aired.airings, aired.reach, aired.first_aired_on, aired.days_to_first_airing)
