"""The model of a whole event of each type, envelope and data, from the catalogue's rows; the shape of a model; and the
schema that events are validated by: the models' core schema over plain dictionaries, which is equivalent to the models
and builds no instances, which halves its time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from types import NoneType
from typing import Annotated, Any, Literal, NamedTuple, cast, get_args, get_origin

from pydantic import BaseModel, create_model
from pydantic_core import CoreSchema, core_schema

from events.types.catalogue import CATALOGUE
from events.values.fields import IdField
from events.wire.envelope import Envelope, full_type, schema_uri


class Shape(NamedTuple):
    """What a walk must know of a part of an event: the members of an object, the items of a list and their bound, and
    whether it is an id. It has none of these for a plain value and for what the type does not define."""

    members: Mapping[str, Shape] | None = None
    items: Shape | None = None
    items_max: int | None = None
    is_id: bool = False


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


def shape_of(model: type[BaseModel]) -> Shape:
    return _shape_of(model, ())


def _shape_of(annotation: Any, marks: Sequence[Any]) -> Shape:
    """The shape of one annotation; `marks` are what its field says besides."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = annotation.model_fields.items()
        return Shape({field.alias or name: _shape_of(field.annotation, field.metadata) for name, field in fields})
    arguments = get_args(annotation)
    if get_origin(annotation) is Annotated:
        return _shape_of(arguments[0], arguments[1:])
    if get_origin(annotation) is list:
        bound = next((mark.max_length for mark in marks if hasattr(mark, "max_length")), None)
        return Shape(items=_shape_of(arguments[0], ()), items_max=bound)
    if NoneType in arguments:
        return next(_shape_of(argument, marks) for argument in arguments if argument is not NoneType)
    return Shape(is_id=any(isinstance(mark, IdField) for mark in marks))


@cache
def closed_schema(model: type[BaseModel]) -> CoreSchema:
    """The schema of a model: closed dictionaries of lists, literals, integers, texts and Booleans."""
    schema: Any = model.__pydantic_core_schema__
    definitions = {part["ref"]: part for part in schema.get("definitions", ())}
    return _closed(schema.get("schema") if definitions else schema, definitions)


def _closed(schema: Any, definitions: Mapping[str, Any]) -> CoreSchema:
    """The core schema with every model as a closed dictionary of the same fields."""
    kind = schema["type"]
    if kind == "definition-ref":
        return _closed(definitions[schema["schema_ref"]], definitions)
    if kind == "model":
        fields = schema["schema"]["fields"]
        return core_schema.typed_dict_schema(
            {
                field.get("validation_alias", name): _closed_field(field["schema"], definitions)
                for name, field in fields.items()
            },
            extra_behavior="forbid",
            strict=True,
        )
    if kind == "list":
        return {**schema, "strict": True, "items_schema": _closed(schema["items_schema"], definitions)}
    if kind == "nullable":
        return {**schema, "schema": _closed(schema["schema"], definitions)}
    if kind in ("int", "str", "bool", "dict"):
        return {**schema, "strict": True}
    if kind == "literal":
        return cast(CoreSchema, schema)
    raise NotImplementedError(f"no closed schema for {kind!r}: add this part of pydantic's schema to `_closed`")


def _closed_field(schema: Any, definitions: Mapping[str, Any]) -> core_schema.TypedDictField:
    optional = schema["type"] == "default"
    inner = schema["schema"] if optional else schema
    return core_schema.typed_dict_field(_closed(inner, definitions), required=not optional)


def numbers_allowed(name: str, location: Iterable[str | int]) -> tuple[int, int]:
    """The least and the greatest integer at a path of the type's events. Every integer of the catalogue has both."""
    schema: Any = closed_schema(event_model(name))
    for step in location:
        schema = _not_null(schema)
        schema = schema["items_schema"] if isinstance(step, int) else schema["fields"][step]["schema"]
    schema = _not_null(schema)
    return schema["ge"], schema["le"]


def _not_null(schema: Any) -> Any:
    return schema["schema"] if schema["type"] == "nullable" else schema
