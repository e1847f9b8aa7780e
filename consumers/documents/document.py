"""A document is a `msgspec.Struct` whose fields are in the order of its JSON. A field with a `Label` is also a column.

    class Service(Struct, frozen=True, kw_only=True):
        agency: Annotated[AgencyCode, Label("الجهة", "Agency", drop=1)]

A property whose value has a `Label` is a column too, which JSON does not have: what people read and programs derive.
There is no registry and no generated code: the class has all that a surface shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from inspect import getmembers
from types import UnionType
from typing import Annotated, Any, Final, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from msgspec import Meta, Struct, UnsetType, ValidationError, convert

from events.values.bilingual import Bilingual, InTwoLanguages, Language
from events.wire.texts import is_text_hash

Tone = Literal["", "good", "late", "bad", "quiet"]
"""How a page colours a state."""
Date = Annotated[str, Meta(extra_json_schema={"format": "date"})]
"""YYYY-MM-DD, Gregorian."""
Instant = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
"""A UTC time as entries have it."""
Time = Annotated[datetime, Meta(tz=True)]
"""A time as the database has it."""
EventType = Annotated[str, Meta(title="Event type")]
"""In full or short: people read it short, and on pages what such an event says."""
RuleCode = Annotated[str, Meta(title="Rule")]
"""The rule of an anomaly: in the terminal people read what it says, and the code below it."""
AgencyCode = Annotated[str, Meta(title="Agency")]
ServiceId = Annotated[str, Meta(title="Service")]
ServiceIds = Annotated[tuple[str, ...], Meta(title="Services")]
ProjectId = Annotated[str, Meta(title="Project")]
"""Codes: people read the name (`names`), and the code beside it."""
Halalas = Annotated[int, Meta(description="Whole halalas.")]
Period = Annotated[str, Meta(description="A month (`1426-03`) or a quarter (`2005-Q1`).")]
Count = Annotated[int, Meta(ge=0)]
YES: Final = Bilingual("نعم", "Yes")
NO: Final = Bilingual("لا", "No")
_SHOWN_BY_MEANING: Final = (Date, Instant, EventType, RuleCode, AgencyCode, ServiceId, ServiceIds, ProjectId, Halalas)
"""What people do not read as it is in JSON, though a text or a number there."""


class Label(Bilingual, frozen=True):
    """What people call a field. `drop`: 0 always stays in a table, else the greatest is left out first.

    `is_detail`: shown where a document is shown alone, and in files, but in no list.
    """

    drop: int = 0
    is_detail: bool = False


class Labelled(Enum):
    """States and kinds: documents hold the value, people read the label."""

    # The labels have defaults because a member is found by its value alone.
    def __new__(cls, value: str, ar: str = "", en: str = "", tone: Tone = "") -> Labelled:
        made = object.__new__(cls)
        made._value_ = value
        made.ar, made.en, made.tone = ar, en, tone
        return made

    ar: str
    en: str
    tone: Tone

    def of(self, language: Language) -> str:
        return self.ar if language == "ar" else self.en


class Name(Bilingual, frozen=True):
    """A text in two languages, as events have it."""


class Listing(Bilingual, frozen=True):
    """A list of documents: what people call it, and of which type its documents are."""

    document: type[Struct]

    def about(self, name: str) -> Listing:
        """The list of one partnership or another subject, which its title names."""
        return Listing("{}: {}", "{}: {}", self.document).format(self, name)


@dataclass(frozen=True, slots=True)
class Field:
    """A labelled field. `type` is that of its value where it is not None.

    It is `str`, `int`, `bool`, `Date`, `Instant`, `datetime`, `EventType`, a code or several, `Halalas`, `Name`,
    `Labelled`, another document, or a tuple of `str` or of `Labelled`.
    """

    name: str
    label: Label
    type: Any


TEXT_NOT_HERE: Final = Name("هذه النسخة ليس فيها النص.", "This copy does not have the text.")
"""What is read in place of a free text where there are entries without their texts, and only its hash is known."""
D = TypeVar("D", bound=Struct)


def document_of(document: type[D], row: Mapping[str, Any], **further: Any) -> D:
    """The document of a row whose columns are its fields, or of its JSON. `further` are documents of their own.

    A row that is read where no texts are has the hash of a free text: `TEXT_NOT_HERE` stands for it.
    """
    values = {name: TEXT_NOT_HERE if is_text_hash(value) else value for name, value in row.items()}
    try:
        return convert({**values, **further}, document)
    except ValidationError as error:
        where = f"of {document.__name__}: name it in the query, and in the rows of tests/world"
        raise ValidationError(f"{error}, {where}") from None


def documents_of(document: type[D], rows: Iterable[Mapping[str, Any]]) -> list[D]:
    return [document_of(document, row) for row in rows]


@cache
def fields(document: type[Struct]) -> tuple[Field, ...]:
    """The labelled fields, in the order in which people read them: `READ_FIRST` of the class, then the others."""
    first: tuple[str, ...] = getattr(document, "READ_FIRST", ())
    found = list(_labelled(document))
    return tuple(sorted(found, key=lambda field: first.index(field.name) if field.name in first else len(first)))


def field_of(document: type[Struct], name: str) -> Field:
    return next(field for field in fields(document) if field.name == name)


def label_of(document: type[Struct], name: str) -> Label:
    return field_of(document, name).label


def in_sentence(name: InTwoLanguages) -> Bilingual:
    """A label within a sentence, where English begins with a small letter."""
    return Bilingual(name.ar, name.en[:1].lower() + name.en[1:])


def is_document(kind: Any) -> bool:
    """Whether the type of a field is a document with columns of its own."""
    return isinstance(kind, type) and issubclass(kind, Struct) and kind is not Name


def listed(document: type[Struct]) -> list[Field]:
    """Those that a list shows."""
    return [field for field in fields(document) if not field.label.is_detail]


def _labelled(document: type[Struct]) -> Iterator[Field]:
    hints = get_type_hints(document, include_extras=True)
    for name, derived in getmembers(document, lambda member: isinstance(member, property)):
        hints[name] = get_type_hints(derived.fget, include_extras=True)["return"]
    for name, hint in hints.items():
        base, notes = _taken_apart(hint)
        for note in notes:
            if isinstance(note, Label):
                meaning = next((one for one in _SHOWN_BY_MEANING if get_args(one)[1] in notes), base)
                yield Field(name, note, meaning)


def _taken_apart(hint: Any) -> tuple[Any, list[Any]]:
    """A type without None and what it is annotated with, and the annotations."""
    if get_origin(hint) is Annotated:
        inner, *notes = get_args(hint)
        base, further = _taken_apart(inner)
        return base, [*notes, *further]
    if get_origin(hint) in (Union, UnionType):
        only, *others = (part for part in get_args(hint) if part not in (type(None), UnsetType))
        return (hint, []) if others else _taken_apart(only)
    return hint, []
