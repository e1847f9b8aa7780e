"""What the pages of the HTTP API show of the OpenAPI document.

Its schemas, and those of events' `data`, become rows of a table: the members of a JSON Schema, one row each, in its
order, outer before inner (`terms.bands[].partner_bp`).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, reduce
from importlib.resources import files
from operator import getitem
from typing import Any, Final, NamedTuple

import orjson

from events.schema_tools.compatibility import Schema, alternatives_of
from events.schema_tools.field_meanings import ATTRIBUTE_MEANINGS
from events.values import fields
from events.values.bilingual import Bilingual
from events.values.money import INTEGER_MAX

_PATTERN_LENGTH_MAX: Final = 60
"""A longer pattern helps no reader; the schema has it."""


class Kind(NamedTuple):
    """The kind of a value: in words, and as a language-neutral format."""

    words: Bilingual
    form: str = ""


_TYPES: Final = {
    "integer": Bilingual("عدد صحيح", "integer"),
    "number": Bilingual("عدد", "number"),
    "boolean": Bilingual("صواب أو خطأ", "boolean"),
    "string": Bilingual("نص", "text"),
    "object": Bilingual("كائن", "object"),
}
_ANY: Final = Bilingual("أي قيمة", "any value")
_CHOICE: Final = Bilingual("إحدى القيم", "one of")
_BOTH_LANGUAGES: Final = Kind(
    Bilingual("نص بالعربية وبالإنجليزية", "text in Arabic and in English"), '{"ar": …, "en": …}'
)
_TEXTS: Final[dict[str, Kind]] = {
    fields.ID_PATTERN: Kind(Bilingual("معرّف", "id"), "A-Z a-z 0-9 . _ -  (1–64)"),
    fields.CODE_PATTERN: Kind(Bilingual("رمز جهة", "agency code"), fields.CODE_PATTERN.strip("^$")),
    fields.DATE_PATTERN: Kind(Bilingual("تاريخ ميلادي", "Gregorian date"), "YYYY-MM-DD  (1924-08-01 … 2077-11-16)"),
    fields.PERIOD_PATTERN: Kind(Bilingual("فترة: شهر أو ربع", "period: month or quarter"), "1426-03 | 1426-Q1"),
    fields.TRAINEE_PATTERN: Kind(Bilingual("معرّف مستعار", "pseudonym"), fields.TRAINEE_PATTERN.strip("^$")),
    fields.SHA256_PATTERN: Kind(Bilingual("بصمة SHA-256", "SHA-256"), fields.SHA256_PATTERN.strip("^$")),
    fields.URL_PATTERN: Kind(Bilingual("عنوان كامل", "absolute URL"), f"https://…  (≤ {fields.URL_LENGTH_MAX})"),
    fields.TEXT_PATTERN: Kind(_TYPES["string"], f"1–{fields.TEXT_LENGTH_MAX}"),
}


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One member: its path, kind, whether it is required, and its description, if the schema has one."""

    path: str
    kind: Kind
    required: bool
    about: str = ""
    place: str = ""
    """Of a parameter: `path`, `query` or `header`."""


def rows_of(schema: Schema, document: Schema, prefix: str = "") -> Iterator[FieldRow]:
    """Every member of the schema, and of its objects, lists and maps."""
    schema, _ = _plain(schema, document)
    if "items" in schema:
        yield from rows_of(schema["items"], document, f"{prefix}[]")
    if isinstance(schema.get("additionalProperties"), dict):
        yield from rows_of(schema["additionalProperties"], document, f"{prefix}.{{…}}".lstrip("."))
    if _is_bilingual(schema):
        return
    for name, member in schema.get("properties", {}).items():
        path = f"{prefix}.{name}".lstrip(".")
        about = member.get("description") or _plain(member, document)[0].get("description", "")
        yield FieldRow(path, kind_of(member, document), name in schema.get("required", ()), about)
        yield from rows_of(member, document, path)


def kind_of(schema: Schema, document: Schema) -> Kind:
    plain, nullable = _plain(schema, document)
    kind = _kind(plain, document)
    return Kind(kind.words, f"{kind.form} | null".removeprefix(" | ")) if nullable else kind


def _plain(schema: Schema, document: Schema) -> tuple[Schema, bool]:
    """The schema that a reference leads to, without its alternative `null`, and whether it had one."""
    while "$ref" in schema:
        schema = reduce(getitem, schema["$ref"].removeprefix("#/").split("/"), document)
    others = [choice for choice in alternatives_of(schema) if choice.get("type") != "null"]
    nullable = len(others) < len(alternatives_of(schema))
    return (_plain(others[0], document)[0] if len(others) == 1 else schema), nullable


def _is_bilingual(schema: Schema) -> bool:
    return set(schema.get("properties", ())) == {"ar", "en"}


def _kind(schema: Schema, document: Schema) -> Kind:
    kinds = schema.get("type")
    if choices := _choices(schema, document):
        return Kind(_CHOICE, " | ".join(choices))
    if kinds == "array":
        return _list_kind(schema, document)
    if _is_bilingual(schema):
        return _BOTH_LANGUAGES
    if kinds == "string":
        return _text_kind(schema)
    return Kind(_TYPES.get(str(kinds), _ANY), _bounds(schema.get("minimum"), schema.get("maximum")))


def _choices(schema: Schema, document: Schema) -> list[str]:
    """What the value is one of: given values, or types."""
    kinds = [kind_of(choice, document) for choice in alternatives_of(schema) if choice.get("type") != "null"]
    if "const" in schema or "enum" in schema:
        return [str(choice) for choice in schema.get("enum", [schema.get("const")])]
    types = schema.get("type")
    shown = [form if words is _CHOICE else f"{words.en} {form}".strip() for words, form in kinds]
    return [*shown, *(types if isinstance(types, list) else ())]


def _text_kind(schema: Schema) -> Kind:
    pattern = schema.get("pattern", "")
    shown = pattern.strip("^$") if len(pattern) <= _PATTERN_LENGTH_MAX else ""
    return _TEXTS.get(pattern) or Kind(_TYPES["string"], shown or schema.get("format", ""))


def _list_kind(schema: Schema, document: Schema) -> Kind:
    item = kind_of(schema.get("items", {}), document)
    least, most = schema.get("minItems", 0), schema.get("maxItems")
    count = f"[{least}–{most}] " if most else f"[≥ {least}] " if least else ""
    return Kind(Bilingual("قائمة: {}", "list: {}").format(item.words), f"{count}{item.form}".strip())


def _bounds(least: Any, most: Any) -> str:
    """A bound that every integer is within is none."""
    least = None if least is None or least <= -INTEGER_MAX else least
    most = None if most is None or most >= INTEGER_MAX else most
    if None not in (least, most):
        return f"{least} … {most}"
    return f"≥ {least}" if least is not None else f"≤ {most}" if most is not None else ""


Document = dict[str, Any]
"""The OpenAPI document, or a part of it."""
API: Final = "/docs/api"


class Body(NamedTuple):
    """A body in one media type. `example` is empty where the document has none."""

    media_type: str
    rows: list[FieldRow]
    example: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation, with the document that it is from."""

    method: str
    path: str
    part: Document
    document: Document

    @property
    def name(self) -> str:
        return f"{self.method.upper()} {self.path}"

    @property
    def page(self) -> str:
        """The path of its page: `/docs/api/get-v1-events-id`."""
        return f"{API}/" + "-".join([self.method, *re.findall(r"\w+", self.path)])

    @property
    def paragraphs(self) -> list[str]:
        return [" ".join(part.split()) for part in self.part.get("description", "").split("\n\n") if part]

    @property
    def parameters(self) -> list[FieldRow]:
        return [self._row(one["name"], one, one.get("required", False)) for one in self.part.get("parameters", ())]

    @property
    def answers(self) -> list[tuple[str, Document]]:
        """Status and answer, without errors."""
        return [(status, answer) for status, answer in sorted(self.part["responses"].items()) if status < "4"]

    @property
    def errors(self) -> list[tuple[str, Document]]:
        return [(status, answer) for status, answer in sorted(self.part["responses"].items()) if status >= "4"]

    def headers(self, answer: Document) -> list[FieldRow]:
        return [self._row(name, header, required=True) for name, header in answer.get("headers", {}).items()]

    def bodies(self, part: Document) -> list[Body]:
        """The bodies of the request or of an answer, by media type."""
        return [
            Body(media_type, list(rows_of(body.get("schema", {}), self.document)), _example(body))
            for media_type, body in part.get("content", {}).items()
        ]

    def command(self) -> str:
        """For a shell; what the caller must fill in is a variable of its own."""
        address = re.sub(r"\{(\w+)\}", lambda found: f"${{{found[1].upper()}}}", self.path)
        required = [row.path for row in self.parameters if row.place == "query" and row.required]
        query = "?" * bool(required) + "&".join(f"{name}=${{{name.upper()}}}" for name in required)
        method = "" if self.method == "get" else f" -X {self.method.upper()}"
        parts = [f'curl -sS{method} "$YESSER_GATEWAY{address}{query}"']
        if self.part.get("security"):
            parts.append('-H "Authorization: Bearer $YESSER_TOKEN"')
        for body in self.bodies(self.part.get("requestBody", {}))[:1]:
            parts += [f'-H "Content-Type: {body.media_type}"', f"--data-binary {shlex.quote(body.example or '{}')}"]
        return " \\\n  ".join(parts)

    def _row(self, name: str, part: Document, required: bool) -> FieldRow:
        about = part.get("description", "")
        return FieldRow(name, kind_of(part["schema"], self.document), required, about, part.get("in", ""))


def operations_of(document: Document) -> list[Operation]:
    """Every operation, in document order, those of a tag together."""
    operations = [
        Operation(method, path, part, document)
        for path, methods in document["paths"].items()
        for method, part in methods.items()
    ]
    tags = list(dict.fromkeys(map(tag_of, operations)))
    return sorted(operations, key=lambda operation: tags.index(tag_of(operation)))


def tag_of(operation: Operation) -> str:
    return str(operation.part["tags"][0])


def _example(body: Document) -> str:
    return orjson.dumps(body["example"], option=orjson.OPT_INDENT_2).decode() if "example" in body else ""


@cache
def arabic_texts() -> Mapping[str, str]:
    """English text of the OpenAPI document → Arabic; an event's attributes have theirs in `ATTRIBUTE_MEANINGS`."""
    pairs = orjson.loads(files("producers.docs_pages").joinpath("api_texts.json").read_bytes())
    meanings = {meaning.en: meaning.ar for meaning in ATTRIBUTE_MEANINGS.values()}
    return meanings | {pair["en"]: pair["ar"] for pair in pairs}
