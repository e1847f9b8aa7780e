"""Strict JSON: text that cannot be parsed is one fault; numbers keep the form in which they were written.

Unlike fast parsers it detects duplicate names, lone surrogates, depth, and integers of any length.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final, NoReturn

from events.errors import Reject
from events.faults.findings import Finding, finding
from events.values.money import INTEGER_MAX
from events.wire.envelope import DEPTH_MAX

_BYTE_ORDER_MARK: Final = "\ufeff"
_WHITE_SPACE: Final = " \t\n\r"
_STRINGS_AND_BRACKETS: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[{]|[\]}]', re.DOTALL)
_SAFE_DIGITS_MAX: Final = 17
_NUMBER_LENGTH_MAX: Final = 30

BEYOND_RANGE: Final = 2**62
"""The value of every integer beyond ±(2⁵³ − 1), with its sign: its digits are not needed."""

_KINDS: Final = {'"': "text", "[": "a list", "t": "a Boolean", "f": "a Boolean", "n": "null"}


class Unreadable(Reject):
    """The text cannot be parsed; `finding` is the reason."""

    def __init__(self, found: Finding) -> None:
        super().__init__(found.sentence)
        self.finding = found


class HugeInteger(int):
    """`BEYOND_RANGE` or its negative; its text shows the first digits as written."""

    written: str

    def __str__(self) -> str:
        return self.written


class Fraction(float):
    """A number with a point or an exponent; its text is as written."""

    written: str

    def __str__(self) -> str:
        return self.written


def read_json(raw: bytes, *, depth_max: int = DEPTH_MAX, expect_object: bool = True) -> Any:
    """The JSON value of `raw`. Raises `Unreadable` with `not-utf8`, `not-json`, `too-deep` or `duplicate-name`."""
    text = _text_of(raw)
    if expect_object and not text.lstrip(_WHITE_SPACE).startswith("{"):
        raise Unreadable(_why_no_object(text))
    if _depth_exceeds(text, depth_max):
        raise Unreadable(finding("too-deep", "", "The event is nested more than 16 levels deep; flatten it."))
    repeated: list[str] = []

    def pairs(members: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(members)
        if len(found) != len(members) and not repeated:
            repeated.append(_first_repeated(members))
        return found

    value = _parsed(text, pairs)
    if repeated:
        sentence = "The name {value} occurs twice in one object; write it once."
        raise Unreadable(finding("duplicate-name", "", sentence, value=repeated[0]))
    return value


def _text_of(raw: bytes) -> str:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        sentence = "Byte {position} is not UTF-8; write the whole event as UTF-8."
        raise Unreadable(finding("not-utf8", "", sentence, position=error.start + 1)) from error
    if text.startswith(_BYTE_ORDER_MARK):
        raise Unreadable(finding("not-json", "", "The event begins with a byte order mark; remove it."))
    return text


def _parsed(text: str, pairs: Callable[[list[tuple[str, Any]]], Any] | None) -> Any:
    try:
        return json.loads(
            text,
            object_pairs_hook=pairs,
            parse_int=_integer,
            parse_float=_fraction,
            parse_constant=_refuse_constant,
        )
    except json.JSONDecodeError as error:
        sentence = "Not well-formed JSON at character {position}; write exactly one JSON value."
        raise Unreadable(finding("not-json", "", sentence, position=error.pos + 1)) from error
    except (ValueError, RecursionError) as error:
        raise Unreadable(finding("not-json", "", "Not well-formed JSON; write exactly one JSON value.")) from error


def _why_no_object(text: str) -> Finding:
    try:
        _parsed(text, None)
    except Unreadable as stop:
        return stop.finding
    kind = _KINDS.get(text.lstrip(_WHITE_SPACE)[0], "a number")
    return finding("not-json", "", "The event is {kind}; write a JSON object.", kind=kind)


def _first_repeated(members: list[tuple[str, Any]]) -> str:
    seen: set[str] = set()
    return next(name for name, _ in members if name in seen or seen.add(name))  # type: ignore[func-returns-value]


def _depth_exceeds(text: str, depth_max: int) -> bool:
    """Whether brackets nest deeper than `depth_max`, read from the left; brackets in strings do not count."""
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
    if len(digits) <= _SAFE_DIGITS_MAX and -INTEGER_MAX <= (number := int(digits)) <= INTEGER_MAX:
        return number
    huge = HugeInteger(-BEYOND_RANGE if digits.startswith("-") else BEYOND_RANGE)
    huge.written = _shortened(digits)
    return huge


def _fraction(text: str) -> float:
    fraction = Fraction(text)
    fraction.written = _shortened(text)
    return fraction


def _shortened(number: str) -> str:
    return number if len(number) <= _NUMBER_LENGTH_MAX else number[:_NUMBER_LENGTH_MAX] + "…"


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")
