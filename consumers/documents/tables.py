"""Documents as tables: in the terminal, and as files for spreadsheets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from msgspec import Struct

from consumers.documents.document import NO, YES, EventType, Field, Halalas, Labelled, Listing, Name, fields, listed
from events.values.money import riyals_text
from events.wire.envelope import short_type
from infra.command_line.display import Column, Grid
from infra.command_line.language import localized
from infra.command_line.table_files import csv_text

_NUMBERS: Final = (int, Halalas)


def grid(listing: Listing, rows: Iterable[Struct]) -> Grid:
    """A list in the terminal, under its title."""
    return Grid(localized(listing.ar, listing.en), columns(listing.document), [cells(row) for row in rows])


def columns(document: type[Struct]) -> list[Column]:
    return [
        Column(field.label.ar, field.label.en, field.label.drop, right=field.type in _NUMBERS, wraps=field.type is Name)
        for field in listed(document)
    ]


def cells(row: Struct) -> list[str | None]:
    """The row under `columns` of its type."""
    return [_text(field, getattr(row, field.name)) for field in listed(type(row))]


def _text(field: Field, value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, Labelled | Name):
        return localized(value.ar, value.en, "\n")
    if isinstance(value, tuple):
        return localized("، ".join(one.ar for one in value), ", ".join(one.en for one in value), "\n")
    if isinstance(value, bool):
        return localized(*(YES if value else NO), "\n")
    if field.type == EventType:
        return short_type(value)
    # An index is copied into the next command, so no other number has separators.
    return riyals_text(value) if field.type == Halalas else str(value)


def csv_file(listing: Listing, rows: Iterable[Struct]) -> str:
    """All labelled fields as CSV: codes and figures as in JSON, a name in both languages, a list with spaces."""
    columns = fields(listing.document)
    names = [name for field in columns for name in _column_names(field)]
    return csv_text(names, (tuple(_values(row, columns)) for row in rows))


def _column_names(field: Field) -> tuple[str, ...]:
    return (f"{field.name}_ar", f"{field.name}_en") if field.type is Name else (field.name,)


def _values(row: Struct, columns: Iterable[Field]) -> Iterator[int | str | None]:
    for field in columns:
        value = getattr(row, field.name)
        if isinstance(value, Name):
            yield from (value.ar, value.en)
        elif isinstance(value, Labelled):
            yield value.value
        elif isinstance(value, tuple):
            yield " ".join(one.value for one in value)
        elif isinstance(value, bool):
            yield "true" if value else "false"
        else:
            yield value
