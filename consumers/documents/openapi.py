"""The JSON schema of documents, for the OpenAPI description."""

from __future__ import annotations

from typing import Any, Final

from msgspec.json import schema_components

from infra.http.documents import Schema

_AT: Final = "#/documents/"


def schema_of(document: Any) -> Schema:
    """The schema of one document or of a `list` of them, with those of its parts inside.

    A field has the description of its `Meta`.
    """
    (made,), components = schema_components([document], ref_template=_AT + "{name}")
    schema: Schema = _with_parts(made, components)
    return schema


def _with_parts(value: Any, components: Schema) -> Any:
    if isinstance(value, list):
        return [_with_parts(one, components) for one in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        found = _with_parts(components[value["$ref"].removeprefix(_AT)], components)
        return found | {name: member for name, member in value.items() if name != "$ref"}
    # A title is for who reads the code, and so is the description of a class.
    own: tuple[str, ...] = ("title",) if isinstance(value.get("title"), str) else ()
    if own and ("properties" in value or "enum" in value):
        own = ("title", "description")
    return {name: _with_parts(member, components) for name, member in value.items() if name not in own}
