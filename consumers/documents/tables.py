"""Documents as tables: in the terminal, and as files for spreadsheets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final

import click
from msgspec import Struct

from consumers.documents.document import (
    NO,
    YES,
    AgencyCode,
    EventType,
    Field,
    Halalas,
    Instant,
    Labelled,
    Listing,
    Name,
    ProjectId,
    RuleCode,
    ServiceId,
    ServiceIds,
    fields,
    is_document,
    listed,
)
from consumers.documents.names import Kind, Names, kind_of
from events.types.contradictions import RULES
from events.values.bilingual import Bilingual, joined
from events.values.money import riyals_text
from events.wire.envelope import short_type
from infra.command_line.display import Column, Grid, time_text
from infra.command_line.language import localized
from infra.command_line.table_files import csv_text

_NAMES: Final = "yesser.names"
_NUMBERS: Final = (int, Halalas)
_WRAPPING: Final = (str, Name, RuleCode, AgencyCode, ServiceId, ServiceIds, ProjectId)
"""A column of texts breaks between words, so never inside an id."""


def grid(listing: Listing, rows: Iterable[Struct], total: Struct | None = None) -> Grid:
    """A list in the terminal, under its title, with the total of all fields but the first."""
    totals = (
        []
        if total is None
        else [localized(Bilingual("المجموع", "Total")), *_texts(total, listed(listing.document)[1:])]
    )
    return Grid(listing, columns(listing.document), [cells(row) for row in rows], totals)


def columns(document: type[Struct]) -> list[Column]:
    return [
        Column(field.label.ar, field.label.en, field.label.drop, field.type in _NUMBERS, _wraps(field))
        for field in listed(document)
    ]


def cells(row: Struct) -> list[str | None]:
    """The row under `columns` of its type."""
    return _texts(row, listed(type(row)))


def _wraps(field: Field) -> bool:
    return field.type in _WRAPPING or is_document(field.type)


def _texts(row: Struct, columns: Iterable[Field]) -> list[str | None]:
    return [_text(field, getattr(row, field.name)) for field in columns]


def _text(field: Field, value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, Labelled | Name):
        return localized(value, "\n")
    if (kind := kind_of(field.type)) is not None:
        codes = (value,) if isinstance(value, str) else value
        return "\n".join(named(kind, code) for code in codes)
    if isinstance(value, tuple):
        return localized(joined(value), "\n")
    if isinstance(value, Struct):
        return " · ".join(text or "" for text in _texts(value, fields(field.type)))
    if isinstance(value, bool):
        return localized(YES if value else NO, "\n")
    if field.type in (Instant, datetime):
        return time_text(value)
    if field.type == EventType:
        return short_type(value)
    if field.type == RuleCode:
        return f"{localized(RULES[value], chr(10))}\n{value}" if value in RULES else str(value)
    # An index is copied into the next command, so no other number has separators.
    return riyals_text(value) if field.type == Halalas else str(value)


def use_names(names: Names) -> None:
    """Show these in the tables of the command that runs."""
    click.get_current_context().meta[_NAMES] = names


def names() -> Names:
    """Those of the command that runs."""
    context = click.get_current_context(silent=True)
    known: Names = context.meta.get(_NAMES, {}) if context else {}
    return known


def named(kind: Kind, code: str) -> str:
    """The name, and on a line of its own the code, which is what commands take."""
    name = names().get((kind, code))
    return code if name is None else f"{localized(name, chr(10))}\n{code}"


def csv_file(listing: Listing, rows: Iterable[Struct]) -> str:
    """All labelled fields as CSV: codes and figures as in JSON, a name in both languages, a list with spaces.

    A document inside another has a column for each of its own: `service_url`.
    """
    columns = fields(listing.document)
    return csv_text(tuple(_column_names(columns)), (tuple(_values(row, columns)) for row in rows))


def _column_names(columns: Iterable[Field], before: str = "") -> Iterator[str]:
    for field in columns:
        name = before + field.name
        if is_document(field.type):
            yield from _column_names(fields(field.type), f"{name}_")
        else:
            yield from (f"{name}_ar", f"{name}_en") if field.type is Name else (name,)


def _values(row: Struct | None, columns: Iterable[Field]) -> Iterator[int | str | None]:
    for field in columns:
        value = None if row is None else getattr(row, field.name)
        if is_document(field.type):
            yield from _values(value, fields(field.type))
        elif field.type is Name:
            yield from (None, None) if value is None else (value.ar, value.en)
        elif isinstance(value, Labelled):
            yield value.value
        elif isinstance(value, tuple):
            yield " ".join(str(getattr(one, "value", one)) for one in value)
        elif isinstance(value, bool):
            yield "true" if value else "false"
        else:
            yield value
