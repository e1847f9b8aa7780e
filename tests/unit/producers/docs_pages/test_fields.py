"""The rows of a schema's members."""

from __future__ import annotations

from typing import Any, Final

from producers.docs_pages.openapi import kind_of, rows_of
from tests.every import every

DOCUMENT: Final = {
    "components": {
        "schemas": {"Team": {"type": "object", "properties": {"code": {"type": "string"}}, "required": ["code"]}}
    }
}
TEAM: Final = {"$ref": "#/components/schemas/Team"}


@every(
    ("schema", "words", "form"),
    [
        ({"type": "integer", "minimum": 0}, "integer", "≥ 0"),
        ({"type": "integer", "maximum": 9}, "integer", "≤ 9"),
        ({"type": "integer", "minimum": 1, "maximum": 9}, "integer", "1 … 9"),
        ({"type": "integer", "minimum": -(2**53), "maximum": 2**53}, "integer", ""),
        ({"anyOf": [{"type": "boolean"}, {"type": "null"}]}, "boolean", "null"),
        ({"anyOf": [{"type": "boolean"}, {"enum": ["x"]}]}, "one of", "boolean | x"),
        ({"anyOf": [{"type": "integer"}, {"const": "x"}, {"type": "null"}]}, "one of", "integer | x | null"),
        ({"enum": ["tv", "radio"]}, "one of", "tv | radio"),
        ({"const": "1.0"}, "one of", "1.0"),
        ({"type": "string", "format": "date-time"}, "text", "date-time"),
        ({"type": "string", "pattern": "^ep_[a-z]+$"}, "text", "ep_[a-z]+"),
        ({"type": "string", "pattern": "x" * 200}, "text", ""),
        ({"type": ["integer", "null"]}, "one of", "integer | null"),
        ({"type": "array", "items": {"type": "string"}}, "list: text", ""),
        ({"type": "array", "items": TEAM, "minItems": 1, "maxItems": 9}, "list: object", "[1–9]"),
        ({"type": "array", "items": {"const": "x"}, "minItems": 1}, "list: one of", "[≥ 1] x"),
        (TEAM, "object", ""),
        ({}, "any value", ""),
    ],
)
def test_the_kind_of_a_value_is_short(schema: dict[str, Any], words: str, form: str) -> None:
    kind = kind_of(schema, DOCUMENT)
    assert (kind.words.en, kind.form) == (words, form)


def test_members_of_objects_lists_and_maps_have_rows_of_their_own() -> None:
    schema = {
        "properties": {
            "teams": {"type": "array", "items": TEAM},
            "by_name": {"type": "object", "additionalProperties": TEAM},
            "name": {"properties": {"ar": {"type": "string"}, "en": {"type": "string"}}},
        },
        "required": ["teams"],
    }
    assert [(row.path, row.kind.words.en, row.required) for row in rows_of(schema, DOCUMENT)] == [
        ("teams", "list: object", True),
        ("teams[].code", "text", True),
        ("by_name", "object", False),
        ("by_name.{…}.code", "text", True),
        ("name", "text in Arabic and in English", False),
    ]
