"""The form of an event type: a tree of fields, read from the JSON Schema of its data.

Flows in: the short name of a type. Flows out: fields in the schema's order, each with what it means and how it is
entered. Nothing here is written for one type: a new type has its form as soon as it is in the catalogue.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

from events.schema_tools.compatibility import Schema, resolved, without_null
from events.schema_tools.field_meanings import meaning_of
from events.schema_tools.schema_documents import schema_of
from events.values import fields
from events.values.bilingual import Bilingual
from events.values.money import BASIS_POINTS

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
    return _leaf(place, schema)


def _leaf(place: _Place, schema: Schema) -> Leaf:
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
