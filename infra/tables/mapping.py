"""Maps a table's columns to events, by a TOML or JSON file that is checked before anything is sent.

Flows in: the mapping's document. Flows out: a `RowMapping` that turns the cells of one row into one event. Nothing is
guessed: every column is mapped or ignored by name, and a cell that does not match its type stays text, so that the
registrar refuses it at that pointer. An empty cell is an absent member.

    [constants]                                  # pointer = value
    "/type" = "sa.gov.yesser.revenue.collected.v1"
    [templates]                                  # pointer = text with {column}s
    "/subject" = "partnership/{contract}"
    [columns.amount]                             # a column of the table
    pointer = "/data/amount_halalas"             # none: used in templates only
    type = "riyals"                              # text (default), integer, boolean, list, riyals

The faults of a mapping file become one sentence each: the location, the value found, and what to write instead. A value
that may be personal is not repeated.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from events.values.bilingual import Bilingual
from events.values.personal_data import shows_ten_digits
from events.values.riyal_names import is_riyal
from events.wire.envelope import DEPTH_MAX
from infra.errors import WrongInput

_INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,18})")
_RIYALS: Final = re.compile(r"(-?)(0|[1-9][0-9]{0,16})(?:\.([0-9]{1,2}))?")
_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")
_LIST_SEPARATOR: Final = "|"
_CURRENCY_MAX: Final = 20
"""Characters of a currency that stand in an event: each amount of a row would repeat a long one."""
_DATA: Final = Bilingual(
    "في السطر الأول بيانات، ومنها رقم من عشر خانات: اجعل فيه أسماء الأعمدة.",
    "the first row looks like data (it has a number of ten digits): it must name the columns",
)
_REPEATED: Final = Bilingual(
    "في الجدول عمودان بالاسم نفسه {}: غيّر اسم أحدهما.", "the table has two columns named {}: rename one of them"
)
_MISSING: Final = Bilingual(
    "في ملف الربط أعمدة ليست في الجدول: {}؛ وصفه الأول {}.",
    "the mapping names columns that the table lacks: {}; its first row is {}",
)
_NAMELESS: Final = Bilingual(
    "لا اسم للعمود {} من الجدول: سمّه، أو احذفه إن كان فارغًا.",
    "column {} of the table has no name: name it, or delete it if it is empty",
)
_UNNAMED: Final = Bilingual(
    "ليست هذه الأعمدة في ملف الربط: {}؛ اربطها أو تجاهلها.",
    "the mapping does not have these columns: {}; map them or ignore them",
)
_LEAST: Final = -(2**63)
"""orjson writes no integer below; the greatest that the two patterns allow is one that it writes."""

MappedEvent: TypeAlias = dict[str, Any]
"""Any JSON: what the user's mapping makes of a row, before it is validated."""
Kind = Literal["text", "integer", "boolean", "list", "riyals"]
Encoding = Literal["utf-8", "windows-1256"]


class WrongMapping(WrongInput):
    """The mapping file is not valid: correct it; nothing was done."""


class Column(BaseModel):
    """One column. `values` replaces cells (the table's word → the catalogue's) before their type is read. `currency` is
    the column with an amount's currency: where that is not the riyal, the amount stays text, with its currency."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    pointer: str | None = None
    type: Kind = "text"
    values: dict[str, str] = Field(default_factory=dict)
    separator: str = Field(default=_LIST_SEPARATOR, min_length=1)
    currency: str | None = None


class MappingDocument(BaseModel):
    """The mapping file. Without `delimiter` the header's is taken; `sheet` is for a workbook with several tables."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    encoding: Encoding = "utf-8"
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    sheet: str | None = None
    ignored_columns: list[str] = Field(default_factory=list)
    constants: MappedEvent = Field(default_factory=dict)
    templates: dict[str, str] = Field(default_factory=dict)
    columns: dict[str, Column] = Field(default_factory=dict)

    def column_of(self, pointer: str) -> str | None:
        """The column or columns that fill what the pointer names or is in; None where constants fill it, or nothing."""
        for name, column in self.columns.items():
            if column.pointer is not None and f"{pointer}/".startswith(f"{column.pointer}/"):
                return name
        return ", ".join(_PLACEHOLDER.findall(self.templates.get(pointer, ""))) or None


@dataclass(frozen=True, slots=True)
class RowMapping:
    """A mapping bound to the header of a table: cells in the header's order in, one event out."""

    header: tuple[str, ...]
    document: MappingDocument
    paths: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def event(self, cells: Sequence[str]) -> MappedEvent:
        row = dict(zip(self.header, cells, strict=True))
        event: MappedEvent = {}
        for pointer, value in self.document.constants.items():
            _put(event, self.paths[pointer], value)
        for pointer, template in self.document.templates.items():
            text = _filled(template, row, self.document.columns)
            if text is not None:
                _put(event, self.paths[pointer], text)
        for name, column in self.document.columns.items():
            if column.pointer is not None and row[name] != "":
                currency = _word(column.currency, row, self.document.columns) if column.currency is not None else ""
                is_foreign = currency and not is_riyal(currency)
                value = row[name] + currency[:_CURRENCY_MAX] if is_foreign else cell_value(row[name], column)
                _put(event, self.paths[column.pointer], value)
        return event

    def line(self, cells: Sequence[str], bytes_max: int) -> bytes | None:
        """The event as JSON, or None where it has more bytes. One that is far longer is never made."""
        if self._length(cells) > bytes_max:
            return None
        text = orjson.dumps(self.event(cells))
        return text if len(text) <= bytes_max else None

    def _length(self, cells: Sequence[str]) -> int:
        """How many characters of cells the templates and the lists put into the event: a few bytes of a mapping can
        repeat a long cell, or replace each part of it by a long text."""
        row = dict(zip(self.header, cells, strict=True))
        length = 0
        for template in self.document.templates.values():
            words = [_word(name, row, self.document.columns) for name in _PLACEHOLDER.findall(template)]
            length += sum(map(len, words)) if all(words) else 0
        for name, column in self.document.columns.items():
            if column.type == "list" and column.values:
                length += sum(map(len, cell_value(row[name], column)))
        return length


def read_mapping(path: Path) -> MappingDocument:
    """The mapping in a `.toml` or `.json` file. Raises `WrongMapping`."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise WrongMapping(f"{path} cannot be read: {error}") from error
    return mapping_of(raw, str(path))


def mapping_of(raw: bytes, name: str) -> MappingDocument:
    """The mapping in the bytes of a file; its name ends in `.json`, or it is TOML. Raises `WrongMapping`."""
    is_json = name.lower().endswith(".json")
    try:
        text = raw.decode("utf-8-sig")  # Windows editors put a BOM in front
        document = orjson.loads(text) if is_json else tomllib.loads(text)
        mapping = MappingDocument.model_validate(document)
    except ValidationError as error:
        raise WrongMapping(f"{name}, {_sentences(error, is_json)}") from error
    except tomllib.TOMLDecodeError as error:
        hint = 'put a name with characters other than a–z, 0–9, _ and - in quotes ("الرمز" = …)'
        raise WrongMapping(f"{name} cannot be read: {error}; {hint}") from error
    except ValueError as error:
        raise WrongMapping(f"{name} cannot be read: {error}") from error
    try:
        orjson.dumps(mapping.constants)
    except orjson.JSONEncodeError as error:
        raise WrongMapping(f"{name}: a constant is not a JSON value ({error})") from error
    return mapping


def _sentences(error: ValidationError, is_json: bool) -> str:
    """Every fault of the document."""
    return "; ".join(sentence(fault, is_json=is_json, members=_members(fault["loc"])) for fault in error.errors())


def _members(path: Sequence[int | str]) -> list[str]:
    """The names allowed at this location."""
    return list(Column.model_fields if len(path) > 1 else MappingDocument.model_fields)


def bind(mapping: MappingDocument, header: Sequence[str]) -> RowMapping:
    """The mapping for a table with this header. Raises `WrongMapping` if they do not match."""
    mismatch = _mismatch(mapping, header)
    if mismatch is None:
        return _shallow(RowMapping(tuple(header), mapping, _paths(mapping)))
    require_names(header)
    raise WrongMapping(mismatch)


def require_names(header: Sequence[str]) -> None:
    """A table without its header begins with a record: none of its cells may be shown. Raises `WrongMapping`."""
    if any(map(shows_ten_digits, header)):
        raise WrongMapping(_DATA)


def _shallow(mapping: RowMapping) -> RowMapping:
    """The mapping, if its rows can be written. Raises `WrongMapping`."""
    try:
        orjson.dumps(mapping.event(["1"] * len(mapping.header)))
    except orjson.JSONEncodeError as error:
        raise WrongMapping(
            f"a pointer or a constant is nested too deeply: an event has at most {DEPTH_MAX} levels"
        ) from error
    return mapping


def _mismatch(mapping: MappingDocument, header: Sequence[str]) -> Bilingual | None:
    """What does not match between them."""
    used = {name for template in mapping.templates.values() for name in _PLACEHOLDER.findall(template)}
    used |= {column.currency for column in mapping.columns.values() if column.currency is not None}
    named = {*used, *mapping.columns, *mapping.ignored_columns}
    if "" in header and "" not in named:
        return _NAMELESS.format(header.index("") + 1)
    if repeated := sorted(name for name, count in Counter(header).items() if count > 1):
        return _REPEATED.format(str(repeated))
    if missing := sorted((used | set(mapping.columns)) - set(header)):
        return _MISSING.format(str(missing), str(list(header)))
    if unnamed := [name for name in header if name not in named]:
        return _UNNAMED.format(str(unnamed))
    return None


def cell_value(cell: str, column: Column) -> Any:
    """A cell's value; a cell that does not match its type stays text, which validation refuses at its pointer."""
    text = column.values.get(cell, cell)
    if column.type == "list":
        return [column.values.get(part.strip(), part.strip()) for part in cell.split(column.separator)]
    return _READERS[column.type](text)


def _integer(text: str) -> int | str:
    return _in_range(int(text), text) if _INTEGER.fullmatch(text) else text


def _boolean(text: str) -> bool | str:
    return {"true": True, "false": False}.get(text, text)


def _halalas(text: str) -> int | str:
    """Riyals with at most two decimals, exactly as halalas: 12.5 is 1250."""
    found = _RIYALS.fullmatch(text)
    if found is None:
        return text
    sign, whole, decimals = found.groups()
    return _in_range(int(f"{sign}{whole}{(decimals or '').ljust(2, '0')}"), text)


def _in_range(value: int, text: str) -> int | str:
    return value if value >= _LEAST else text


_READERS: Final[Mapping[Kind, Callable[[str], Any]]] = {
    "text": str,
    "integer": _integer,
    "boolean": _boolean,
    "riyals": _halalas,
}


def _filled(template: str, row: Mapping[str, str], columns: Mapping[str, Column]) -> str | None:
    """The template with its cells, replaced by `values` as in their columns, or None if one of them is empty."""
    names = set(_PLACEHOLDER.findall(template))
    if any(row[name] == "" for name in names):
        return None
    words = {name: _word(name, row, columns) for name in names}
    return _PLACEHOLDER.sub(lambda place: words[place.group(1)], template)


def _word(name: str, row: Mapping[str, str], columns: Mapping[str, Column]) -> str:
    return columns[name].values.get(row[name], row[name]) if name in columns else row[name]


def _paths(mapping: MappingDocument) -> dict[str, tuple[str, ...]]:
    pointers = [
        *mapping.constants,
        *mapping.templates,
        *(c.pointer for c in mapping.columns.values() if c.pointer is not None),
    ]
    paths: dict[str, tuple[str, ...]] = {}
    for pointer in pointers:
        if not pointer.startswith("/"):
            raise WrongMapping(f"{pointer!r} is not a JSON pointer, which begins with / like /data/name/ar")
        path = tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer[1:].split("/"))
        for other, taken in paths.items():
            shorter = min(len(path), len(taken))
            if path[:shorter] == taken[:shorter]:
                raise WrongMapping(f"{pointer} and {other} fill the same member: keep one of them")
        paths[pointer] = path
    return paths


def _put(event: MappedEvent, path: tuple[str, ...], value: Any) -> None:
    for step in path[:-1]:
        event = event.setdefault(step, {})
    event[path[-1]] = value


_VALUE_CHARACTERS_MAX: Final = 60
_COLUMN_TOML: Final = '{ pointer = "/data/…" }'
_COLUMN_JSON: Final = '{"pointer": "/data/…"}'

Fault = Mapping[str, Any]
"""pydantic's `type`, `loc`, `input` and `ctx` of an error."""


def sentence(fault: Fault, *, is_json: bool, members: Sequence[str]) -> str:
    """One fault of a mapping file. `members` are the known names, for an unknown one."""
    place, remedy = _location(fault["loc"]), _remedy(fault, is_json, members)
    if fault["type"] == "extra_forbidden":
        return f"{place or 'the mapping'}: {remedy}"
    value = _shown(fault["input"])
    return f"{place or 'the mapping'}: {remedy}" + (f" instead of {value}" if value else "")


def _location(path: Sequence[str | int]) -> str:
    """`column "amount", type` for ("columns", "amount", "type")."""
    names = ["…" if shows_ten_digits(str(step)) else str(step) for step in path]
    if len(names) > 1 and names[0] == "columns":
        names = [f'column "{names[1]}"', *names[2:]]
    # After a table's name comes a name that the user chose.
    return ", ".join(
        f'"{name}"' if i and names[i - 1] in ("values", "templates") else name for i, name in enumerate(names)
    )


def _remedy(fault: Fault, is_json: bool, members: Sequence[str]) -> str:
    context = fault.get("ctx", {})
    match fault["type"]:
        case "model_type" if fault["loc"]:
            return f"write {_COLUMN_JSON if is_json else _COLUMN_TOML}"
        case "model_type":
            return "write an object"
        case "extra_forbidden":
            return f"unknown name; write one of {', '.join(members)}"
        case "literal_error":
            return f"write {context['expected']}".replace("'", '"')
        case "string_type":
            return "write a text in quotes"
        case "string_too_short" | "string_too_long":
            return f"write {'one character' if 'max_length' in context else 'at least one character'}"
        case "dict_type":
            return "write an object" if is_json else "write a TOML table"
        case "list_type":
            return "write a list of texts in brackets"
    return str(fault["msg"])


def _shown(value: object) -> str:
    """The value as JSON, if it may be shown."""
    try:
        text = orjson.dumps(value).decode()
    except (TypeError, ValueError):
        return ""
    return "" if len(text) > _VALUE_CHARACTERS_MAX or shows_ten_digits(text) else text
