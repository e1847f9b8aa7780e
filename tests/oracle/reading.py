"""From the bytes of a record to its JSON, or to the fault that stops the reading (§1)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from tests.oracle.log import JsonObject
from tests.oracle.personal import has_personal_number

BYTES_MAX = 61_440
DEPTH_MAX = 16
TOKEN = re.compile(
    r'[ \t\n\r]*(?:(?P<mark>[{}\[\]:,])|(?P<string>"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*")'
    r"|(?P<value>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null))"
)
BLANK = re.compile(r"[ \t\n\r]*\Z")
Fault = tuple[str, str]


@dataclass(frozen=True)
class NotAnInteger:
    """A number that is written with a point or an exponent."""

    written: str


@dataclass(frozen=True)
class Shape:
    """What the syntax alone tells: a name repeated in an object, the greatest depth, the names of the object itself."""

    repeated_name: bool
    depth: int
    names: frozenset[str] | None


class NotJson(Exception):
    """The text is not JSON."""


def read(raw: bytes) -> JsonObject | list[Fault]:
    """The object, or what stopped the reading: alone, or beside personal data in the bytes."""
    if len(raw) > BYTES_MAX:
        return _stopped("too-large", raw)
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return _stopped("not-utf8", raw)
    try:
        shape = scan(text)
    except NotJson:
        return _stopped("not-json", raw)
    if shape.names is None:
        return _stopped("not-json", raw)
    if shape.repeated_name or shape.depth > DEPTH_MAX:
        return _stopped("duplicate-name" if shape.repeated_name else "too-deep", raw)
    event: JsonObject = json.loads(text, parse_float=NotAnInteger, parse_int=_integer)
    return event


def names_of_object(raw: bytes) -> frozenset[str] | None:
    """The names of the object that the line is, however unacceptable; None if it is no JSON object."""
    try:
        return scan(raw.decode()).names
    except (UnicodeDecodeError, NotJson):
        return None


def _integer(written: str) -> int:
    """The integer; one that is far beyond the range becomes one that is just beyond it, for Python's sake."""
    return int(written) if len(written) < 1_000 else 10**40


def _stopped(code: str, raw: bytes) -> list[Fault]:
    personal = has_personal_number(raw.decode(errors="replace"))
    return [(code, "")] + ([("personal-data", "")] if personal else [])


def scan(text: str) -> Shape:
    """Check the syntax without recursion.

    `expected` is what may come next: a value, a name, a colon, or a comma; "…-or-end" where the list or object may
    end at once.
    """
    position, deepest, repeated, expected = 0, 0, False, "value"
    open_names: list[set[str] | None] = []
    outermost: set[str] | None = None
    while not (expected == "end" and BLANK.match(text, position)):
        token = TOKEN.match(text, position)
        if token is None or expected == "end":
            raise NotJson
        position = token.end()
        mark, string = token["mark"], token["string"]
        if mark in ("}", "]"):
            if not open_names or expected not in ("comma", "name-or-end" if mark == "}" else "value-or-end"):
                raise NotJson
            if (open_names.pop() is None) == (mark == "}"):
                raise NotJson
        elif mark in ("{", "["):
            _expect(expected, "value", "value-or-end")
            open_names.append(set() if mark == "{" else None)
            outermost = open_names[0]
            deepest = max(deepest, len(open_names))
            expected = "name-or-end" if mark == "{" else "value-or-end"
            continue
        elif mark == ":":
            _expect(expected, "colon")
            expected = "value"
            continue
        elif mark == ",":
            _expect(expected, "comma")
            expected = "value" if open_names[-1] is None else "name"
            continue
        elif string is not None and expected in ("name", "name-or-end"):
            names, name = open_names[-1], json.loads(string)
            assert names is not None
            repeated = repeated or name in names
            names.add(name)
            expected = "colon"
            continue
        else:
            _expect(expected, "value", "value-or-end")
        expected = "comma" if open_names else "end"
    return Shape(repeated, deepest, None if outermost is None else frozenset(outermost))


def _expect(expected: str, *possible: str) -> None:
    if expected not in possible:
        raise NotJson
