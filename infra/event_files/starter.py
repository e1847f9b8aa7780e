"""A mapping to start from: the type of event and its fields whose names the table's columns resemble.

Flows in: a table's header. Flows out: the text of a mapping file that `lint` takes as it is. What it does not map is
written in it: columns are ignored by name, and fields that the type requires stand as comments. A person checks it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final

from events.schema_tools.compatibility import Schema, resolved, without_null
from events.schema_tools.field_meanings import meaning_of
from events.schema_tools.schema_documents import schema_of
from events.types.catalogue import CATALOGUE, EventType, may_send
from events.values import fields
from events.values.bilingual import Bilingual
from events.values.reading_order import folded
from events.wire.envelope import full_type
from infra.tables.mapping import Kind, MappingDocument, WrongMapping, bind, mapping_of, require_names
from infra.tables.rows import NO_HEADER, all_rows, guessed_form
from infra.tables.workbook import WrongTable

_KINDS: Final[dict[str, Kind]] = {"integer": "integer", "boolean": "boolean", "array": "list"}
_NO_TYPE: Final = Bilingual(
    "لا نوع حدث فيه حقل باسم أحد الأعمدة {}: سمّ الأعمدة بأسماء حقولها، أو اذكر النوع للأمر yesser map.",
    "no type of event has a field like one of {}: name the type to yesser map, or the columns as its fields",
)
_DATE: Final = frozenset({"تاريخ", "date"})
_TIME: Final = (["time"], ["وقت"])
_CURRENCY: Final = frozenset({"عمله", "currency", "ccy"})
_SYNONYMS: Final = dict.fromkeys(("رمز", "رقم", "معرف", "code", "number", "no"), "id") | {
    "ايصال": "تحصيل",
    "ايصالات": "تحصيلات",
    "رابط": "عنوان",
    "link": "address",
}
"""What a heading calls what a field calls otherwise."""
_SAME: Final = 300
_OF_NAME: Final = 200
_OF_MEANING: Final = 100
_OF_KIND: Final = 1


@dataclass(frozen=True, slots=True)
class _Field:
    """A member of `data` that a column can fill. `path` is that of its meaning."""

    path: str
    kind: Kind
    required: bool
    is_date: bool
    meaning: Bilingual

    @property
    def pointer(self) -> str:
        return "/data/" + self.path.replace(".", "/")

    def likeness(self, column: str) -> int:
        """How far a column's name is this field's: 0 not at all. Of two meanings the one that says it earlier."""
        words = _words(column)
        if column.strip().casefold().replace(" ", "_") in (self.path.rpartition(".")[2], self.path):
            return _SAME
        if words and set(words) <= set(_words(self.path)):
            return _OF_NAME
        meanings = [_words(text) for text in (self.meaning.ar, self.meaning.en)]
        places = [max(map(meaning.index, words)) for meaning in meanings if words and set(words) <= set(meaning)]
        if places:
            return _OF_MEANING - min(places)
        return _OF_KIND if self.is_date and not _DATE.isdisjoint(words) else 0


def starter_mapping(stream: BinaryIO, name: str, type_name: str | None = None, sheet: str | None = None) -> str:
    """The text of a mapping (TOML) for the table `name`. Without `type_name` its columns choose the type.

    Raises `WrongTable` and `WrongMapping`, also where no type has a field like any column.
    """
    form = guessed_form(stream, MappingDocument(sheet=sheet))
    first = next(all_rows(stream, form), None)
    if first is None:
        raise WrongTable(NO_HEADER)
    header = first.cells
    require_names(header)
    event_type = _likeliest(header) if type_name is None else CATALOGUE[type_name]
    text = "\n".join(_lines(name, event_type, header, form))
    bind(mapping_of(text.encode(), name), header)
    return text


def _likeliest(header: Sequence[str]) -> EventType:
    """The type that the columns fill best. Raises `WrongMapping`."""

    def fit(event_type: EventType) -> tuple[int, int]:
        found = _fields(event_type)
        mapped = _matched(header, found)
        lacking = sum(field.required and field.pointer not in mapped.values() for field in found)
        return len(mapped), -lacking

    likeliest = max((one for one in CATALOGUE.values() if may_send("agency", one)), key=fit)
    if not fit(likeliest)[0]:
        raise WrongMapping(_NO_TYPE.format(str(list(header))))
    return likeliest


def _matched(header: Sequence[str], found: Sequence[_Field]) -> dict[str, str]:
    """Column → pointer, the closest names first, and of these the fields that are required; each of both once."""
    pairs = sorted(
        (
            (-likeness, not field.required, position, field.pointer, column)
            for position, field in enumerate(found)
            for column in header
            if (likeness := field.likeness(column))
        ),
    )
    mapped: dict[str, str] = {}
    for *_, pointer, column in pairs:
        if column not in mapped and pointer not in mapped.values():
            mapped[column] = pointer
    return {column: mapped[column] for column in header if column in mapped}


def _lines(name: str, event_type: EventType, header: Sequence[str], form: MappingDocument) -> Iterator[str]:
    found = _fields(event_type)
    mapped = _matched(header, found)
    columns = {pointer: column for column, pointer in mapped.items()}
    left = [field for field in found if field.pointer not in columns]
    currency = next((name for name in header if name not in mapped and not _CURRENCY.isdisjoint(_words(name))), None)
    of_amount = f", currency = {_quoted(currency)}" if currency and any(map(_is_money, mapped.values())) else ""
    instant = next((name for name in header if name not in mapped and _words(name) in _TIME), None)
    used = {*mapped, instant, currency if of_amount else None}
    yield f"# {name}: each row becomes one event of type {event_type.name}. Check every line, then run `yesser lint`."
    yield "# يصبح كل صف حدثًا واحدًا. راجع كل سطر، ثم شغّل ‎`yesser lint`‎."
    if form.delimiter is not None:
        yield f'encoding = "{form.encoding}"'
        yield f"delimiter = {_quoted(form.delimiter or '')}"
    if form.sheet is not None:
        yield f"sheet = {_quoted(form.sheet)}"
    yield f"ignored_columns = [{', '.join(_quoted(name) for name in header if name not in used)}]"
    yield "\n[constants]  # the same in every event · ثابت في كل حدث"
    yield f'"/type" = "{full_type(event_type.name)}"'
    for field in left:
        need = "required · مطلوب" if field.required else "optional · اختياري"
        yield f'# "{field.pointer}" = …  # {need}: {field.meaning.en} {field.meaning.ar}'
    yield "\n[templates]  # made of {columns} · من {الأعمدة}"
    yield from _templates(event_type, found, columns, header, instant)
    yield "\n[columns]  # each column and its field · كل عمود وحقله"
    for field in found:
        if column := columns.get(field.pointer):
            kind = "" if field.kind == "text" else f', type = "{_kind_in(column, field)}"'
            kind += of_amount if _is_money(field.pointer) else ""
            meaning = f"{field.meaning.en} {field.meaning.ar}"
            yield f'{_quoted(column)} = {{ pointer = "{field.pointer}"{kind} }}  # {meaning}'
    yield ""


def _templates(
    event_type: EventType, found: Sequence[_Field], columns: dict[str, str], header: Sequence[str], instant: str | None
) -> Iterator[str]:
    """The id from the first column with a name, which often names the row, and what follows from mapped fields."""
    first = next(filter(None, header), "")
    yield f'"/id" = {_quoted(event_type.name + "-{" + first + "}")}' + "  # another in each row · يختلف في كل صف"
    subject = event_type.subject.pattern
    for name in event_type.subject.fields:
        subject = subject.replace(f"{{{name}}}", "{" + columns.get(f"/data/{name}", "…") + "}")
    yield f'{"# " if "{…}" in subject else ""}"/subject" = {_quoted(subject)}'
    day = next((columns[field.pointer] for field in found if field.is_date and field.pointer in columns), None)
    time = f"{{{instant}}}" if instant else f"{{{day or '…'}}}T00:00:00+03:00"
    yield f'{"# " if "{…}" in time else ""}"/time" = {_quoted(time)}'


def _fields(event_type: EventType) -> list[_Field]:
    root = schema_of(event_type.name)
    return list(_members(event_type.name, resolved(root["properties"]["data"], root), "", root))


def _members(type_name: str, schema: Schema, prefix: str, root: Schema) -> Iterator[_Field]:
    """The members that one cell can fill: not lists of objects, which are written whole as constants."""
    for name, member in schema["properties"].items():
        path, (plain, _) = prefix + name, without_null(member, root)
        required = name in schema.get("required", ())
        if "properties" in plain:
            yield from _members(type_name, plain, f"{path}.", root)
        elif plain.get("type") != "array" or "properties" not in resolved(plain["items"], root):
            kind: Kind = "riyals" if _is_money(name) else _KINDS.get(str(plain.get("type")), "text")
            is_date = plain.get("pattern") == fields.DATE_PATTERN
            pair = prefix.rstrip(".") if name in ("ar", "en") else path
            yield _Field(path, kind, required, is_date, meaning_of(type_name, pair))


def _is_money(pointer: str) -> bool:
    return pointer.endswith("_halalas")


def _kind_in(column: str, field: _Field) -> Kind:
    """Money is in riyals, unless the column says that it is in halalas."""
    return "integer" if field.kind == "riyals" and re.search("halala|هلل", column.casefold()) else field.kind


def _words(text: str) -> list[str]:
    """The words of a text, as a search compares them, without the Arabic article, and one word for one thing."""
    words = [word.removeprefix("ال") for word in folded(text).split()]
    return [_SYNONYMS.get(word, word) for word in words]


def _quoted(text: str) -> str:
    """A text of TOML."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
