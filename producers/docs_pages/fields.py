"""The members of a JSON Schema, one row each, in its order, outer before inner (`terms.bands[].partner_bp`).

Flows in: the schema of an event's `data`, or of a body in the OpenAPI document, and the document with what it refers
to. Flows out: rows for a table.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from operator import getitem
from typing import Any, Final, NamedTuple

from events.schema_tools.compatibility import Schema, alternatives_of
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
