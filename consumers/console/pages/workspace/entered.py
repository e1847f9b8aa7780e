"""The form of an event type, and what somebody typed into it: the event that it makes, and what is wrong with it, field
by field, with its remedy.

Flows in: the short name of a type; the form's names with their texts, the agency. Flows out: a tree of fields in the
order of the JSON Schema of the type's data, each with what it means and how it is entered: nothing here is written for
one type. Then the event's bytes, or sentences for each field. A name is the JSON pointer of its member with dots:
`/data/terms/bands/0/partner_bp` is `data.terms.bands.0.partner_bp`. Digits may be Arabic ones, and amounts may have
separators of thousands; nothing else is read as anything but what it says: amounts become halalas exactly, without a
fraction in between.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, Literal

from consumers.console.web.language import number_text, western
from events.faults.problems import PROBLEMS
from events.faults.problems import Fault as FoundFault
from events.schema_tools.compatibility import Schema, resolved, without_null
from events.schema_tools.field_meanings import meaning_of
from events.schema_tools.schema_documents import schema_of
from events.types.catalogue import CATALOGUE
from events.validation.validate import validate
from events.validation.verdicts import Agency, Refused
from events.values import fields
from events.values.bilingual import Bilingual
from events.values.data import Data
from events.values.money import BASIS_POINTS, INTEGER_MAX
from events.wire.codec import STRUCTURED_HEADERS, build_event
from infra.event_files.lint import remedy_of, sentence_of
from infra.log.refusals.documents import Fault as LoggedFault
from infra.tables.mapping import Column, cell_value
from producers.sdk.answers import EventError

Kind = Literal[
    "text", "long-text", "id", "agency", "date", "period", "url", "trainee",
    "integer", "riyals", "percent", "boolean", "choice",
]  # fmt: skip
"""How a value is entered. `riyals` becomes halalas, `percent` basis points."""

_PATTERNS: Final[dict[str, Kind]] = {
    fields.ID_PATTERN: "id",
    fields.CODE_PATTERN: "agency",
    fields.DATE_PATTERN: "date",
    fields.PERIOD_PATTERN: "period",
    fields.URL_PATTERN: "url",
    fields.TRAINEE_PATTERN: "trainee",
}
_LONG: Final = ("reason", "aim", "brief", "legal_basis")
"""Texts of several sentences."""
_LANGUAGES: Final = (("ar", Bilingual("بالعربية", "In Arabic")), ("en", Bilingual("بالإنجليزية", "In English")))


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value. `choices` are those of a `choice`; `least` and `most` bound an integer."""

    name: str
    meaning: Bilingual
    kind: Kind
    required: bool = True
    nullable: bool = False
    choices: tuple[str, ...] = ()
    least: int | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Choices:
    """Any of some values."""

    name: str
    meaning: Bilingual
    choices: tuple[str, ...]
    required: bool = True


@dataclass(frozen=True, slots=True)
class Group:
    """An object with members of its own. `is_pair`: a text in Arabic and in English."""

    name: str
    meaning: Bilingual
    members: tuple[Node, ...]
    required: bool = True
    nullable: bool = False
    is_pair: bool = False


@dataclass(frozen=True, slots=True)
class Many:
    """A list of `item`, of `least` to `most`."""

    name: str
    meaning: Bilingual
    item: Node
    least: int
    most: int
    required: bool = True


Node = Leaf | Choices | Group | Many


@cache
def form_of(type_name: str) -> tuple[Node, ...]:
    """The fields of `data` of a type."""
    root = schema_of(type_name)
    return tuple(_members(type_name, resolved(root["properties"]["data"], root), "", root))


def _members(type_name: str, schema: Schema, prefix: str, root: Schema) -> Iterator[Node]:
    required = set(schema.get("required", ()))
    for name, member in schema["properties"].items():
        found, nullable = without_null(member, root)
        place = _Place(type_name, name, prefix + name, meaning_of(type_name, prefix + name), name in required, nullable)
        yield _node(place, found, root)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a field is; `path` is that of its meaning (`terms.bands[].partner_bp`)."""

    type_name: str
    name: str
    path: str
    meaning: Bilingual
    required: bool
    nullable: bool


def _node(place: _Place, schema: Schema, root: Schema) -> Node:
    name, meaning, required = place.name, place.meaning, place.required
    if schema.get("type") == "array":
        item = resolved(schema["items"], root)
        if "enum" in item:
            return Choices(name, meaning, tuple(item["enum"]), required)
        inner = _Place(place.type_name, "", f"{place.path}[]", meaning, True, False)
        return Many(name, meaning, _node(inner, item, root), schema.get("minItems", 0), schema["maxItems"], required)
    if set(schema.get("properties", ())) == {"ar", "en"}:
        kind: Kind = "long-text" if place.path.rpartition(".")[2] in _LONG else "text"
        texts = tuple(Leaf(language, words, kind, required) for language, words in _LANGUAGES)
        return Group(name, meaning, texts, required, is_pair=True)
    if "properties" in schema:
        members = tuple(_members(place.type_name, schema, f"{place.path}.", root))
        return Group(name, meaning, members, required, place.nullable)
    return _field(place, schema)


def _field(place: _Place, schema: Schema) -> Leaf:
    name, meaning, required, nullable = place.name, place.meaning, place.required, place.nullable
    if choices := schema.get("enum") or ([schema["const"]] if "const" in schema else []):
        return Leaf(name, meaning, "choice", required, nullable, tuple(choices))
    if schema["type"] == "boolean":
        return Leaf(name, meaning, "boolean", required, nullable)
    if schema["type"] == "integer":
        least, most = schema["minimum"], schema["maximum"]
        kind: Kind = "riyals" if name.endswith("_halalas") else "percent" if most == BASIS_POINTS else "integer"
        return Leaf(name, meaning, kind, required, nullable, (), least, most)
    return Leaf(name, meaning, _PATTERNS.get(schema["pattern"], "text"), required, nullable)


Fault = EventError | LoggedFault | FoundFault
"""A fault as the gateway or the log lists it, or as validation found it."""
_CONFLICT: Final = Bilingual(
    "هذا المعرّف لحدث آخر في السجل. اكتب معرّفًا جديدًا.", "Another event in the log has this id. Write a new one."
)


@dataclass(frozen=True, slots=True)
class Explained:
    """A fault in words. `pointer` is where it is in the event, "" for the whole; `column` is that of a table."""

    code: str
    pointer: str
    detail: Bilingual
    remedy: Bilingual | None
    column: str = ""


def explained(faults: Iterable[Fault]) -> list[Explained]:
    """The faults of a refusal, or of the gateway's answer."""
    return [explained_fault(fault.code, fault.pointer, fault.detail) for fault in faults]


def explained_fault(code: str, pointer: str, detail: str, column: str = "") -> Explained:
    """A code of a later release has no remedy here."""
    known: Any = PROBLEMS.get(code)  # type: ignore[call-overload]
    words = sentence_of(detail) if detail or known is None else known.title
    remedy = None if known is None else remedy_of(code, pointer, detail, column)
    return Explained(code, pointer, words, remedy, column)


def faults_by_name(faults: Iterable[Fault]) -> dict[str, list[Bilingual]]:
    """Sentences for each field. The subject is made of other fields: its fault counts only where there is no other. An
    id that another event has is a fault of the id."""
    listed = explained(faults)
    found: dict[str, list[Bilingual]] = {}
    for fault in [one for one in listed if one.pointer != "/subject"] or listed:
        is_conflict = fault.code == "conflict"
        name = "id" if is_conflict else fault.pointer.removeprefix("/").replace("/", ".")
        found.setdefault(name, []).append(_CONFLICT if is_conflict else fault.detail)
    return found


Values = Mapping[str, Sequence[str]]
"""The texts of each name of a form."""

DATA: Final = "data"
GIVEN: Final = "?"
"""Ends the name of the box that says that a group, which may be absent, is given."""
COUNT: Final = ".count"
"""Ends the name that says how many items a list has."""

_MINUTES: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}")
_NUMBERS: Final[Mapping[Kind, Column]] = {
    "integer": Column(type="integer"),
    "riyals": Column(type="riyals"),
    "percent": Column(type="riyals"),
}
"""A percentage has two decimals, as an amount has: 12.5 % is 1250 basis points as 12.5 riyals are 1250 halalas."""
_DIGITS: Final = frozenset({*_NUMBERS, "date", "period"})
_UNREADABLE: Final[Mapping[Kind, Bilingual]] = {
    "integer": Bilingual("اكتب عددًا صحيحًا مثل 1200.", "Write a whole number such as 1200."),
    "riyals": Bilingual(
        "اكتب المبلغ بالريال بمنزلتين عشريتين على الأكثر، مثل 1250.50.",
        "Write the amount in riyals with at most two decimals, such as 1250.50.",
    ),
    "percent": Bilingual(
        "اكتب النسبة بمنزلتين عشريتين على الأكثر، مثل 12.5.",
        "Write the percentage with at most two decimals, such as 12.5.",
    ),
}
_EMPTY: Final = Bilingual("املأ هذا الحقل.", "Fill in this field.")


@dataclass(slots=True)
class Entered:
    """The event that the form makes. `faults` are sentences by name, which is "" for the whole event."""

    event_id: str
    data: Data
    event_bytes: bytes = b""
    faults: dict[str, list[Bilingual]] = field(default_factory=dict)


def entered(type_name: str, agency: Agency, values: Values) -> Entered:
    """The event of a form's texts, validated as the registrar validates it."""
    unreadable: dict[str, list[Bilingual]] = {}
    data = {
        node.name: value
        for node in form_of(type_name)
        if (value := _value(node, f"{DATA}.{node.name}", values, unreadable)) is not _ABSENT
    }
    result = Entered(one(values, "id").strip(), data)
    event = build_event(
        type=type_name,
        agency=agency.code,
        id=result.event_id,
        subject=_subject(type_name, data),
        time=_time(one(values, "time")),
        data=data,
    )
    verdict = validate(event, STRUCTURED_HEADERS, agency)
    if isinstance(verdict, Refused):
        found = faults_by_name(verdict.faults)
        result.faults = {name: found[name] if _has_text(values, name) else [_EMPTY] for name in found} | unreadable
    elif unreadable:
        result.faults = unreadable
    else:
        result.event_bytes = verdict.event_bytes
    return result


def one(values: Values, name: str) -> str:
    """The text of a name, "" where it was not sent."""
    texts = values.get(name)
    return texts[0] if texts else ""


def count_of(values: Values, name: str, many: Many) -> int:
    """How many items a list has in the form."""
    found = _count(values, name)
    return min(many.least if found is None else found, many.most)


def with_added(values: Values, name: str, count: int, most: int) -> dict[str, list[str]]:
    """The form with further, empty items at the end of a list."""
    changed = {key: list(texts) for key, texts in values.items()}
    changed[name + COUNT] = [str(min(most, (_count(values, name) or 0) + count))]
    return changed


def without(values: Values, name: str, number: int) -> dict[str, list[str]]:
    """The form without one item of a list; those after it move up."""
    changed: dict[str, list[str]] = {}
    item = re.compile(re.escape(name) + r"\.([0-9]+)(.*)", re.DOTALL)
    for key, texts in values.items():
        found = item.fullmatch(key)
        place = -1 if found is None else int(found.group(1))
        if found is not None and place == number:
            continue
        moved = key if found is None or place < number else f"{name}.{place - 1}{found.group(2)}"
        changed[moved] = list(texts)
    if (count := _count(values, name)) is not None:
        changed[name + COUNT] = [str(max(0, count - 1))]
    return changed


def _count(values: Values, name: str) -> int | None:
    """What the form says; None where it says no number that can be."""
    text = one(values, name + COUNT)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None


class _Absent:
    """What a member is that the event does not have."""


_ABSENT: Final = _Absent()


def _value(node: Node, name: str, values: Values, unreadable: dict[str, list[Bilingual]]) -> Any:
    match node:
        case Leaf():
            return _leaf(node, name, values, unreadable)
        case Choices():
            chosen = set(values.get(name, ()))
            found = [choice for choice in node.choices if choice in chosen]
            return found if found or node.required else _ABSENT
        case Many():
            count = count_of(values, name, node)
            items = [_value(node.item, f"{name}.{number}", values, unreadable) for number in range(count)]
            found = ["" if item is _ABSENT else item for item in items]
            return found if found or node.required else _ABSENT
        case Group():
            if node.nullable and not one(values, name + GIVEN):
                return None
            members = {
                member.name: value
                for member in node.members
                if (value := _value(member, f"{name}.{member.name}", values, unreadable)) is not _ABSENT
            }
            return members if members or node.required else _ABSENT


def _leaf(leaf: Leaf, name: str, values: Values, unreadable: dict[str, list[Bilingual]]) -> Any:
    text = _text(values, name)
    if not text:
        return None if leaf.nullable else _ABSENT
    if leaf.kind in _DIGITS:
        text = western(text)
    if leaf.kind == "boolean":
        return cell_value(text, Column(type="boolean"))
    column = _NUMBERS.get(leaf.kind)
    if column is None:
        return text
    value = cell_value(number_text(text), column)
    if isinstance(value, int) and abs(value) <= INTEGER_MAX:
        return value
    unreadable[name] = [_UNREADABLE[leaf.kind]]
    return text


def _has_text(values: Values, name: str) -> bool:
    """Whether something was typed under this name or below it. What no field holds counts as typed."""
    below = f"{name}."
    names = [key for key in values if key == name or (key.startswith(below) and not key.endswith(COUNT))]
    is_field = name in ("id", "time") or name.startswith(f"{DATA}.")
    return not is_field or any(text.strip() for key in names for text in values[key])


def _text(values: Values, name: str) -> str:
    """Browsers end lines with CRLF; an event's text has LF."""
    return one(values, name).replace("\r\n", "\n").strip()


def _subject(type_name: str, data: Data) -> str:
    try:
        return CATALOGUE[type_name].subject.of(data)
    except (KeyError, TypeError):
        return ""


def _time(text: str) -> str:
    """A date and a time of the clock in Riyadh, as the browser sends them, with their offset."""
    given = western(text.strip())
    return f"{given}:00+03:00" if _MINUTES.fullmatch(given) else f"{given}+03:00" if given else ""
