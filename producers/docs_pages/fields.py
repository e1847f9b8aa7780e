"""The members of an event's `data`, one row each, read from the type's JSON Schema.

Flows in: the name of a type. Flows out: rows in the schema's order, outer before inner (`terms.bands[].partner_bp`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from events.schema_tools.compatibility import Schema, resolved, without_null
from events.schema_tools.field_meanings import meaning_of
from events.schema_tools.schema_documents import schema_of
from events.values import fields
from events.values.bilingual import Bilingual
from events.values.money import INTEGER_MAX


class Kind(NamedTuple):
    """The kind of a member's value: in words, and as a language-neutral format."""

    words: Bilingual
    form: str


_TEXT: Final = Bilingual("نص", "text")
_KINDS: Final[dict[str, Kind]] = {
    fields.ID_PATTERN: Kind(Bilingual("معرّف", "id"), "A-Z a-z 0-9 . _ -  (1–64)"),
    fields.CODE_PATTERN: Kind(Bilingual("رمز جهة", "agency code"), fields.CODE_PATTERN.strip("^$")),
    fields.DATE_PATTERN: Kind(Bilingual("تاريخ ميلادي", "Gregorian date"), "YYYY-MM-DD  (1924-08-01 … 2077-11-16)"),
    fields.PERIOD_PATTERN: Kind(Bilingual("فترة: شهر أو ربع", "period: month or quarter"), "1426-03 | 1426-Q1"),
    fields.TRAINEE_PATTERN: Kind(Bilingual("معرّف مستعار", "pseudonym"), fields.TRAINEE_PATTERN.strip("^$")),
    fields.SHA256_PATTERN: Kind(Bilingual("بصمة SHA-256", "SHA-256"), fields.SHA256_PATTERN.strip("^$")),
    fields.URL_PATTERN: Kind(Bilingual("عنوان كامل", "absolute URL"), f"https://…  (≤ {fields.URL_LENGTH_MAX})"),
    fields.TEXT_PATTERN: Kind(_TEXT, f"1–{fields.TEXT_LENGTH_MAX}"),
}
_BOTH_LANGUAGES: Final = Kind(
    Bilingual("نص بالعربية وبالإنجليزية", "text in Arabic and in English"), '{"ar": …, "en": …}'
)


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One member of `data`: its path, kind, whether it is required, and its meaning."""

    path: str
    kind: Kind
    required: bool
    meaning: Bilingual


def field_rows(type_name: str) -> list[FieldRow]:
    """Every member of this type's data."""
    schema = schema_of(type_name)
    return list(_members(type_name, resolved(schema["properties"]["data"], schema), "", schema))


def form_of_pattern(pattern: str) -> str:
    """The format of a well-known pattern (a date, an id, a code), as it is shown; empty for any other."""
    return _KINDS[pattern].form if pattern in _KINDS and _KINDS[pattern].words != _TEXT else ""


def _members(type_name: str, schema: Schema, prefix: str, root: Schema) -> Iterator[FieldRow]:
    required = set(schema.get("required", ()))
    for name, member in schema["properties"].items():
        path = prefix + name
        found, optional_null = without_null(member, root)
        kind = _kind(found, root)
        if optional_null:
            kind = Kind(kind.words, f"{kind.form} | null".removeprefix(" | "))
        yield FieldRow(path, kind, name in required, meaning_of(type_name, path))
        inner, suffix = found, "."
        if found.get("type") == "array":
            inner, suffix = resolved(found["items"], root), "[]."
        if _has_rows(inner):
            yield from _members(type_name, inner, path + suffix, root)


def _has_rows(schema: Schema) -> bool:
    """Whether an object's members have rows of their own; those of a bilingual text have none."""
    return "properties" in schema and not _is_bilingual(schema)


def _is_bilingual(schema: Schema) -> bool:
    return set(schema.get("properties", ())) == {"ar", "en"}


def _kind(schema: Schema, root: Schema) -> Kind:
    if schema.get("type") == "array":
        return _list_kind(schema, root)
    if "properties" in schema:
        return _BOTH_LANGUAGES if _is_bilingual(schema) else Kind(Bilingual("كائن", "object"), "{…}")
    choices = schema.get("enum") or ([schema["const"]] if "const" in schema else [])
    if choices:
        return Kind(Bilingual("إحدى القيم", "one of"), " | ".join(choices))
    if schema["type"] == "integer":
        return Kind(Bilingual("عدد صحيح", "integer"), _bounds(schema["minimum"], schema["maximum"]))
    if schema["type"] == "boolean":
        return Kind(Bilingual("صواب أو خطأ", "boolean"), "true | false")
    return _KINDS.get(schema["pattern"]) or Kind(_TEXT, schema["pattern"].strip("^$"))


def _list_kind(schema: Schema, root: Schema) -> Kind:
    item = _kind(resolved(schema["items"], root), root)
    least, most = schema.get("minItems", 0), schema.get("maxItems")
    count = f"{least}–{most}" if most else f"≥ {least}"
    return Kind(Bilingual("قائمة: {}", "list: {}").format(item.words), f"[{count}] {item.form}".strip())


def _bounds(least: int, most: int) -> str:
    if most < INTEGER_MAX:
        return f"{least} … {most}"
    return f"≥ {least}" if least > -INTEGER_MAX else ""
