"""The model of a whole event of each type: envelope and data, from the catalogue's rows."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final, Literal, NamedTuple, get_args, get_origin

from pydantic import BaseModel, create_model
from pydantic_core import SchemaValidator

from events.types.catalogue import CATALOGUE, EventType
from events.values.fields import IdField
from events.wire.envelope import Envelope, full_type, schema_uri

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


class EventForm(NamedTuple):
    """The form of an event's type. If the type is unknown, `row` is None and `validator` checks the envelope alone."""

    row: EventType | None
    validator: SchemaValidator
    id_paths: tuple[Path, ...]
    """The paths of its ids: `("id",)`, `("data", "services", "*")`."""


def form_of(event: Mapping[str, Any]) -> EventForm:
    """The form of an event, by its type. A type that is absent or not a text is unknown."""
    name = event.get("type")
    row = types_by_full_name().get(name) if isinstance(name, str) else None
    return _form(row.name if row else None)


@cache
def _form(name: str | None) -> EventForm:
    if name is None:
        return EventForm(None, _validator(Envelope), (("id",),))
    paths = (("id",), *(("data", *path) for path in id_paths(name)))
    return EventForm(CATALOGUE[name], _validator(event_model(name)), paths)


def _validator(model: type[BaseModel]) -> SchemaValidator:
    """The model's strict validator, which lists every error."""
    return model.__pydantic_validator__  # type: ignore[return-value]


@cache
def types_by_full_name() -> Mapping[str, EventType]:
    return {full_type(name): row for name, row in CATALOGUE.items()}


@cache
def id_paths(name: str) -> tuple[Path, ...]:
    """The paths of the fields of type `id` in a type's `data`: `("partner", "partner_id")`, `("services", "*")`."""
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
