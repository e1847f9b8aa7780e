"""The model of a whole event of each type, envelope and data, from the catalogue's rows; and the shape of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from types import NoneType
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin

from pydantic import BaseModel, create_model

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
