"""One compiled validator per type for the whole event: envelope and data in a single call.

`validator_of` is the model's own and finds every fault. `checker_of` states the same over plain dictionaries: it builds
no model, which halves its time, and is asked only whether there is no fault.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final, Literal, cast, get_args, get_origin

from pydantic import BaseModel, create_model
from pydantic_core import CoreSchema, SchemaValidator, core_schema

from events.catalogue import CATALOGUE, EventType
from events.envelope import Envelope, full_type, schema_uri
from events.fields import IdField

Path = tuple[str, ...]
ANY_ITEM: Final = "*"
"""Stands for every position of a list in a `Path`."""


@cache
def event_model(name: str) -> type[Envelope]:
    """The model of a whole event of the type `name`: the envelope with its own `type`, `dataschema` and `data`."""
    row = CATALOGUE[name]
    own_type: Any = Literal[full_type(name)]
    own_schema: Any = Literal[schema_uri(name)] | None
    return create_model(
        f"{row.model.__name__}Event",
        __base__=Envelope,
        __doc__=row.purpose.en,
        type=(own_type, ...),
        dataschema=(own_schema, None),
        data=(row.model, ...),
    )


@cache
def validator_of(name: str | None) -> SchemaValidator:
    """The strict validator of a type's events; of any envelope for None (an unknown type)."""
    return (event_model(name) if name else Envelope).__pydantic_validator__  # type: ignore[return-value]


@cache
def checker_of(name: str) -> SchemaValidator:
    """The checking validator of a type; it raises at the first use if pydantic's schema has an unknown part."""
    return SchemaValidator(checking_schema(name))


@cache
def checking_schema(name: str) -> CoreSchema:
    """What `checker_of` checks: closed dictionaries, lists, nullable parts, literals, integers, texts, booleans."""
    schema: Any = event_model(name).__pydantic_core_schema__
    definitions = {part["ref"]: part for part in schema.get("definitions", ())}
    return _checking(schema.get("schema") if definitions else schema, definitions)


def _checking(schema: Any, definitions: Mapping[str, Any]) -> CoreSchema:
    """The core schema with every model turned into a closed dictionary of the same fields."""
    kind = schema["type"]
    if kind == "definition-ref":
        return _checking(definitions[schema["schema_ref"]], definitions)
    if kind == "model":
        fields = schema["schema"]["fields"]
        return core_schema.typed_dict_schema(
            {
                field.get("validation_alias", name): _checking_field(field["schema"], definitions)
                for name, field in fields.items()
            },
            extra_behavior="forbid",
            strict=True,
        )
    if kind == "list":
        return {**schema, "strict": True, "items_schema": _checking(schema["items_schema"], definitions)}
    if kind == "nullable":
        return {**schema, "schema": _checking(schema["schema"], definitions)}
    if kind in ("int", "str", "bool"):
        return {**schema, "strict": True}
    if kind == "literal":
        return cast(CoreSchema, schema)
    raise NotImplementedError(f"a checking validator for {kind!r}: teach `_checking` this part of pydantic's schema")


def _checking_field(schema: Any, definitions: Mapping[str, Any]) -> core_schema.TypedDictField:
    optional = schema["type"] == "default"
    inner = schema["schema"] if optional else schema
    return core_schema.typed_dict_field(_checking(inner, definitions), required=not optional)


@cache
def types_by_full_name() -> Mapping[str, EventType]:
    """Full type → row."""
    return {full_type(name): row for name, row in CATALOGUE.items()}


@cache
def id_paths(name: str) -> tuple[Path, ...]:
    """Where the fields of type `id` stand in the `data` of a type: `("partner", "partner_id")`, `("services", "*")`."""
    return tuple(_id_paths(CATALOGUE[name].model))


def _id_paths(model: type[BaseModel]) -> list[Path]:
    found: list[Path] = []
    for field_name, field in model.model_fields.items():
        name = field.alias or field_name
        if any(isinstance(mark, IdField) for mark in field.metadata):
            found.append((name,))
        else:
            found += [(name, *rest) for rest in _paths_within(field.annotation)]
    return found


def _paths_within(annotation: Any) -> list[Path]:
    """Paths below one annotation: lists, optional parts, annotated items and nested models."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _id_paths(annotation)
    arguments = get_args(annotation)
    if any(isinstance(argument, IdField) for argument in arguments):
        return [()]
    step: Path = (ANY_ITEM,) if get_origin(annotation) is list else ()
    return [step + rest for argument in arguments for rest in _paths_within(argument)]
