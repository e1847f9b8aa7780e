"""The model of a whole event of each type: envelope and data in one, made from the catalogue's rows."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final, Literal, get_args, get_origin

from pydantic import BaseModel, create_model
from pydantic_core import SchemaValidator

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
def types_by_full_name() -> Mapping[str, EventType]:
    """Full type → row."""
    return {full_type(name): row for name, row in CATALOGUE.items()}


def type_of(event: Mapping[str, Any]) -> EventType | None:
    """The catalogue's row of an event; None if its type is absent, no text, or unknown."""
    name = event.get("type")
    return types_by_full_name().get(name) if isinstance(name, str) else None


def short_type(event: Mapping[str, Any]) -> str:
    """The short name of the type of a well-formed event."""
    return types_by_full_name()[event["type"]].name


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
