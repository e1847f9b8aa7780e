"""The JSON schema of a document, for the OpenAPI description."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from msgspec.json import schema_components

from consumers.documents.document import fields

Schema = dict[str, Any]
_AT: str = "#/documents/"


def schema_of(document: type[Struct]) -> Schema:
    """The schema of one document, with those of its parts inside. A field without a description has its label."""
    (_,), components = schema_components([document], ref_template=_AT + "{name}")
    schema: Schema = _with_parts(components[document.__name__], components)
    for field in fields(document):
        schema["properties"][field.name].setdefault("description", f"{field.label.en}.")
    return schema


def _with_parts(value: Any, components: dict[str, Any]) -> Any:
    if isinstance(value, list):
        return [_with_parts(one, components) for one in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        return _with_parts(components[value["$ref"].removeprefix(_AT)], components)
    return {name: _with_parts(member, components) for name, member in value.items() if name != "title"}
