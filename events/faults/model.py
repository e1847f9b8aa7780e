"""What all models of events are: strict, closed, and with a refusal's sentences where a program builds one wrongly.

Validation reads events by validators of its own (`events.validation.forms`), and makes no instance.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from events.faults.model_errors import model_error
from events.faults.nearest import nearest
from events.values.bounds import MEMBERS_MAX
from events.values.fields import FreeText, Text


class Model(BaseModel):
    """Values are not converted, unknown fields are refused. Raises pydantic's `ValidationError`, whose errors have a
    refusal's code as their `type` and its sentence as their `msg`; what was given is not in its text."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, json_schema_extra={"maxProperties": MEMBERS_MAX}
    )

    def __init__(self, **data: Any) -> None:
        with self._explaining():
            super().__init__(**data)

    # To pydantic it is its own `__init__`, which validators of parsed events do not call.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> Self:
        with cls._explaining():
            return super().model_validate(obj, **options)

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **options: Any) -> Self:
        with cls._explaining():
            return super().model_validate_json(json_data, **options)

    @classmethod
    @contextmanager
    def _explaining(cls) -> Iterator[None]:
        try:
            yield
        except ValidationError as error:
            lines = [cls._explained(detail) for detail in error.errors(include_url=False)]
            raise ValidationError.from_exception_data(error.title, lines, hide_input=True) from None

    @classmethod
    def _explained(cls, detail: ErrorDetails) -> InitErrorDetails:
        fault = model_error(detail).fault(quoting=True)
        meant = nearest(str(detail["loc"][-1]), cls.model_fields) if fault.code == "unknown-field" else None
        sentence = fault.detail if meant is None else f"Unknown field; remove it or write {meant}."
        return InitErrorDetails(
            type=PydanticCustomError(fault.code, sentence), loc=detail["loc"], input=detail["input"]
        )


class L(Model):
    """A text for people, in Arabic and in English."""

    ar: Text
    en: Text


FreeL = Annotated[L, FreeText()]
"""The same, where an agency writes what it wants: a reason, a place."""
