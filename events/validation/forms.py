"""The form of each type's events: what validation compares an event with, compiled once from the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from functools import cache
from typing import Any, Final, NamedTuple

from pydantic_core import SchemaValidator

from events.types.catalogue import CATALOGUE, EventType, may_send
from events.types.rules import Rule
from events.validation.models import Shape, closed_schema, event_model, shape_of
from events.values.fields import Role
from events.wire.envelope import Envelope, full_type

_ROLES: Final[tuple[Role, ...]] = ("office", "agency", "platform")


class EventForm(NamedTuple):
    """The form of a type's events. If the type is unknown, `row` is None and the envelope alone is checked."""

    row: EventType | None
    validate: Callable[[Any], Any]
    """Raises pydantic's `ValidationError` with every error of an event."""
    shape: Shape
    rules: tuple[Rule, ...] = ()
    subject_of: Callable[[Mapping[str, Any]], str] = str
    roles: Set[Role] = frozenset()
    """The roles that may send it."""


def form_of(event: Mapping[str, Any]) -> EventForm:
    """The form of an event, by its type. A type that is absent or not a text is unknown."""
    name = event.get("type")
    return (forms_by_type().get(name) if type(name) is str else None) or _envelope_form()


@cache
def forms_by_type() -> Mapping[str, EventForm]:
    """Full type → form. Raises if pydantic's schema has an unknown part."""
    return {
        full_type(name): EventForm(
            row,
            SchemaValidator(closed_schema(event_model(name))).validate_python,
            shape_of(event_model(name)),
            row.rules,
            row.subject.of,
            frozenset(role for role in _ROLES if may_send(role, row)),
        )
        for name, row in CATALOGUE.items()
    }


@cache
def _envelope_form() -> EventForm:
    return EventForm(None, SchemaValidator(closed_schema(Envelope)).validate_python, shape_of(Envelope))
