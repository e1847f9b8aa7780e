"""How documents of commands and of the API are written as JSON and read again: whole numbers of any size are exact.

A sum of figures may exceed 64 bits, which JSON allows. orjson refuses to write such a number, and reads it as a float.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final

import orjson
from msgspec import UNSET, Struct
from msgspec.structs import asdict

from events.values.money import INTEGER_MAX

_LONG_NUMBER: Final = re.compile(rb"[0-9]{19}")
"""Of 19 digits some numbers below zero exceed 64 bits, of 20 digits some above. A text may have as many: no matter."""


def to_json(document: Any, *, indented: bool = False) -> bytes:
    """The document as JSON, of several lines if `indented`. Raises `TypeError` for what JSON does not have."""
    option = orjson.OPT_INDENT_2 if indented else None
    try:
        return orjson.dumps(document, members, option)
    except TypeError:
        # Numbers beyond 64 bits, which orjson refuses, as it writes others.
        changed = _with_numbers(document, lambda n: n if -(2**63) <= n < 2**64 else orjson.Fragment(str(n)))
        return orjson.dumps(changed, members, option)


def members(value: Any) -> dict[str, Any]:
    """The fields of a typed document that are set. Raises `TypeError` for anything else that orjson cannot write."""
    if isinstance(value, Struct):
        return {name: member for name, member in asdict(value).items() if member is not UNSET}
    raise TypeError


def from_json(text: bytes) -> Any:
    """What `to_json` has written. Raises `ValueError` for what is no JSON, or nested too deeply."""
    if _LONG_NUMBER.search(text) is None:
        return orjson.loads(text)
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def with_long_numbers_as_texts(document: Any) -> Any:
    """A document of sequence numbers: one of more than 53 bits is a text, since not every reader keeps it."""
    return _with_numbers(document, lambda number: str(number) if number > INTEGER_MAX else number)


def _with_numbers(value: Any, changed: Callable[[int], object]) -> Any:
    if isinstance(value, Struct):
        value = members(value)
    if isinstance(value, dict):
        return {name: _with_numbers(member, changed) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_with_numbers(item, changed) for item in value]
    return changed(value) if isinstance(value, int) else value
