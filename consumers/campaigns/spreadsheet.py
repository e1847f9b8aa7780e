"""Campaigns as CSV: one row each, lists joined by spaces, texts in a column for each language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from consumers.campaigns.read import CHANNELS
from infra.command_line.table_files import csv_text

Row = Mapping[str, Any]
_LIST: Final = (
    *("campaign_id", "rule", "kind", "cause_index", "owner", "service_id", "due_on", "state", "paused", "escalated"),
)
_INBOX: Final = ("due_on_hijri", "overdue", "acknowledged_by", "acknowledged_at", "acknowledged_index")


def campaigns_csv(rows: Iterable[Row]) -> str:
    """The rows of `yesser campaigns list`."""
    columns = [*_LIST, "channels", *(f"aired_{channel}" for channel in CHANNELS), "reach"]
    return csv_text(columns, map(_listed, rows))


def inbox_csv(rows: Iterable[Row]) -> str:
    """The rows of `yesser campaigns inbox`."""
    columns = [*_LIST, "channels", *(f"aired_{channel}" for channel in CHANNELS), "reach", *_INBOX]
    texts = ("missing_channels", "service_name_ar", "service_name_en", "service_url", "brief_ar", "brief_en")
    return csv_text([*columns, *texts], ((*_listed(row), *_wanted(row)) for row in rows))


def _listed(row: Row) -> tuple[int | str | None, ...]:
    counted = (row["aired"][channel] for channel in CHANNELS)
    return (*(_cell(row[name]) for name in _LIST), " ".join(row["channels"]), *counted, row["reach"])


def _wanted(row: Row) -> tuple[int | str | None, ...]:
    service = row["service"] or {"name": {"ar": None, "en": None}, "url": None}
    return (
        *(_cell(row[name]) for name in _INBOX),
        " ".join(row["missing_channels"]),
        service["name"]["ar"],
        service["name"]["en"],
        service["url"],
        row["brief"]["ar"],
        row["brief"]["en"],
    )


def _cell(value: Any) -> int | str | None:
    """A value unchanged; yes or no as `true` or `false`."""
    if isinstance(value, bool):
        return str(value).lower()
    assert value is None or isinstance(value, int | str)
    return value
