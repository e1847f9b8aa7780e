"""Strict JSON: text that cannot be parsed is one fault; numbers keep the form in which they were written.

A fast parser reads what is proven to need no strictness. All else is read by one that detects duplicate names, lone
surrogates, depth, fractions, and integers of any length.
"""

from __future__ import annotations

import json
import re
from itertools import accumulate
from typing import Any, Final, NoReturn

import msgspec
import orjson

from events.errors import Reject
from events.faults.findings import Finding, finding
from events.values.money import INTEGER_MAX
from events.wire.envelope import DEPTH_MAX

JsonObject = dict[str, Any]
"""An object as it was read: nothing of it is validated."""

_BYTE_ORDER_MARK: Final = "\ufeff"
_WHITE_SPACE: Final = " \t\n\r"
_STRING: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_NO_BRACKETS: Final = bytes(byte for byte in range(256) if byte not in b"[]{}")
_LEVELS: Final = {0x5B: 1, 0x7B: 1, 0x5D: -1, 0x7D: -1}
_CANONICAL: Final = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER
_ESCAPED_COLON: Final = b"\\u003"
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


def read_json(raw: bytes, *, depth_max: int = DEPTH_MAX, expect_object: bool = True) -> tuple[Any, bytes | None, bool]:
    """The JSON value of `raw`, and what `write_json` makes of it. Raises `Unreadable` with `not-utf8`, `not-json`,
    `too-deep` or `duplicate-name`."""
    try:
        value = _decode_plainly(raw)
        written = orjson.dumps(value, option=_CANONICAL)
        # No text of a value is shorter than `written`, so a text of that length has no name twice.
        is_proven = (len(raw) == len(written) or _shows_each_name_once(raw, written)) and (
            _is_shallow(written, depth_max) or not _depth_exceeds(raw, depth_max)
        )
        if is_proven and (type(value) is dict or not expect_object):
            return value, written, True
    except (_NotPlain, msgspec.MsgspecError, UnicodeDecodeError, orjson.JSONEncodeError, RecursionError):
        pass
    value = read_strictly(raw, depth_max, expect_object)
    return value, *write_json(value)


def write_json(value: Any) -> tuple[bytes | None, bool]:
    """A value of `read_json` without white space, and whether that is its canonical form. A value with a fraction or a
    huge integer has no such form; one with half of a surrogate pair cannot be written at all."""
    try:
        return orjson.dumps(value, option=_CANONICAL), True
    except orjson.JSONEncodeError:
        pass
    try:
        return orjson.dumps(value, default=str), False
    except orjson.JSONEncodeError:
        return None, False


class _NotPlain(Reject):
    """This text must be read strictly."""


def _stop_at_fraction(_: str) -> NoReturn:
    raise _NotPlain


_decode_plainly: Final = msgspec.json.Decoder(float_hook=_stop_at_fraction).decode


def _shows_each_name_once(raw: bytes, written: bytes) -> bool:
    """Whether JSON text is proven to have no name twice in an object. `written` is its parsed value.

    Each member has a colon, and the text must have no more colons than were parsed. One that is escaped in a string
    would count only once it is parsed.
    """
    return raw.find(_ESCAPED_COLON) < 0 and raw.count(b":") == written.count(b":")


def _is_shallow(written: bytes, depth_max: int) -> bool:
    """Whether JSON without white space is proven to have no greater depth. Of the objects of one list, one at most is
    open at the deepest place; what looks like the next one in a string adds a bracket too."""
    # Counted by what replacing leaves: `count` takes three times as long for one byte.
    brackets = 2 * len(written) - len(written.replace(b"{", b"")) - len(written.replace(b"[", b""))
    return brackets <= depth_max or brackets - written.count(b"},{") <= depth_max


def read_strictly(raw: bytes, depth_max: int = DEPTH_MAX, expect_object: bool = True) -> Any:
    """The definition of the value of `read_json`."""
    text = _text_of(raw)
    if expect_object and not text.lstrip(_WHITE_SPACE).startswith("{"):
        raise Unreadable(_why_no_object(text))
    if _depth_exceeds(raw, depth_max):
        raise Unreadable(finding("too-deep", "", "The event is nested more than 16 levels deep; flatten it."))
    try:
        return _parsed(text, _DECODER)
    except _RepeatedName as repeated:
        _parsed(text, _LAX_DECODER)
        sentence = "The name {value} occurs twice in one object; write it once."
        raise Unreadable(finding("duplicate-name", "", sentence, value=repeated.name)) from None


def _text_of(raw: bytes) -> str:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        sentence = "Byte {position} is not UTF-8; write the whole event as UTF-8."
        raise Unreadable(finding("not-utf8", "", sentence, position=error.start + 1)) from error
    if text.startswith(_BYTE_ORDER_MARK):
        raise Unreadable(finding("not-json", "", "The event begins with a byte order mark; remove it."))
    return text


def _parsed(text: str, decoder: json.JSONDecoder) -> Any:
    try:
        return decoder.decode(text)
    except json.JSONDecodeError as error:
        sentence = "Not well-formed JSON at character {position}; write exactly one JSON value."
        raise Unreadable(finding("not-json", "", sentence, position=_position(text, error))) from error
    except (ValueError, RecursionError) as error:
        raise Unreadable(finding("not-json", "", "Not well-formed JSON; write exactly one JSON value.")) from error


def _position(text: str, error: json.JSONDecodeError) -> int:
    """The character at which the text stops being JSON, from 1: the same under every version of Python."""
    if not error.msg.startswith("Illegal trailing comma"):
        return error.pos + 1
    rest = text[error.pos + 1 :]  # Python 3.13 names the comma, earlier ones the bracket after it
    return error.pos + 2 + len(rest) - len(rest.lstrip(_WHITE_SPACE))


def _why_no_object(text: str) -> Finding:
    try:
        _parsed(text, _LAX_DECODER)
    except Unreadable as stop:
        return stop.finding
    kind = _KINDS.get(text.lstrip(_WHITE_SPACE)[0], "a number")
    return finding("not-json", "", "The event is {kind}; write a JSON object.", kind=kind)


class _RepeatedName(Reject):
    """A name occurs twice in one object."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def _members_of(members: list[tuple[str, Any]]) -> JsonObject:
    """An object. Raises `_RepeatedName`."""
    by_name = dict(members)
    if len(by_name) != len(members):
        seen: set[str] = set()
        raise _RepeatedName(next(name for name, _ in members if name in seen or seen.add(name)))  # type: ignore[func-returns-value]
    return by_name


def _depth_exceeds(raw: bytes, depth_max: int) -> bool:
    """Whether brackets nest deeper than `depth_max`, read from the left; brackets in strings do not count."""
    if raw.count(b"{") + raw.count(b"[") <= depth_max:
        return False
    brackets = _STRING.sub(b"", raw).translate(None, _NO_BRACKETS)
    return max(accumulate(map(_LEVELS.__getitem__, brackets)), default=0) > depth_max


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


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_members_of, parse_int=_integer, parse_float=_fraction, parse_constant=_refuse_constant
)
_LAX_DECODER: Final = json.JSONDecoder(parse_int=_integer, parse_float=_fraction, parse_constant=_refuse_constant)
"""The same without looking for repeated names."""
