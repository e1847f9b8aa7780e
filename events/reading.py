"""Reading JSON with care: what cannot be read is one fault; what can be read is kept exactly as it was written.

Unlike quick parsers this one sees duplicate names, lone surrogates, the depth, and integers of any length.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, NoReturn

from events.envelope import DEPTH_MAX
from events.money import INTEGER_MAX
from events.problems import Fault, fault

_BYTE_ORDER_MARK: Final = "\ufeff"
_WHITE_SPACE: Final = " \t\n\r"
_STRINGS_AND_BRACKETS: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[{]|[\]}]', re.DOTALL)
_SAFE_DIGITS_MAX: Final = 17

BEYOND_RANGE: Final = 2**62
"""Stands for any integer beyond ±(2⁵³ − 1), with its sign: its digits are never needed."""


class Unreadable(Exception):
    """The text cannot be read; `fault` says why."""

    def __init__(self, found: Fault) -> None:
        super().__init__(found.detail)
        self.fault = found


def read_json(raw: bytes, *, depth_max: int = DEPTH_MAX, object_due: bool = True) -> Any:
    """The JSON value that `raw` is. Raises `Unreadable` with `not-utf8`, `not-json`, `too-deep` or `duplicate-name`."""
    text = _text_of(raw)
    if object_due and not text.lstrip(_WHITE_SPACE).startswith("{"):
        raise Unreadable(_why_no_object(text))
    if _depth_exceeds(text, depth_max):
        raise Unreadable(fault("too-deep", "", "The event is nested more than 16 levels deep."))
    duplicates: list[str] = []

    def pairs(members: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(members)
        if len(found) != len(members):
            duplicates.append("")
        return found

    try:
        value = json.loads(text, object_pairs_hook=pairs, parse_int=_integer, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise Unreadable(fault("not-json", "", "The value is not one well-formed JSON text.")) from error
    if duplicates:
        raise Unreadable(fault("duplicate-name", "", "A name occurs twice in one object."))
    return value


def _text_of(raw: bytes) -> str:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable(fault("not-utf8", "", "The value is not UTF-8.")) from error
    if text.startswith(_BYTE_ORDER_MARK):
        raise Unreadable(fault("not-json", "", "The value begins with a byte order mark."))
    return text


def _why_no_object(text: str) -> Fault:
    try:
        json.loads(text, parse_int=_integer, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return fault("not-json", "", "The value is not one well-formed JSON text.")
    return fault("not-json", "", "The event must be a JSON object.")


def _depth_exceeds(text: str, depth_max: int) -> bool:
    """Whether a bracket opens below `depth_max` levels, read from the left; brackets within strings do not count."""
    depth = 0
    for token in _STRINGS_AND_BRACKETS.finditer(text):
        mark = token.group()[0]
        if mark in "[{":
            depth += 1
            if depth > depth_max:
                return True
        elif mark != '"':
            depth -= 1
    return False


def _integer(digits: str) -> int:
    if len(digits) > _SAFE_DIGITS_MAX:
        return -BEYOND_RANGE if digits.startswith("-") else BEYOND_RANGE
    number = int(digits)
    return number if -INTEGER_MAX <= number <= INTEGER_MAX else (BEYOND_RANGE if number > 0 else -BEYOND_RANGE)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")
