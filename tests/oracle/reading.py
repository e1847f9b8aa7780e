"""From the bytes of a record to its JSON, or to the fault that stops the reading (§1)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

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
    event: JsonObject = json.loads(text, parse_float=NotAnInteger, parse_int=integer_of)
    return event


def names_of_object(raw: bytes) -> frozenset[str] | None:
    """The names of the object that the line is, however unacceptable; None if it is no JSON object."""
    try:
        return scan(raw.decode()).names
    except (UnicodeDecodeError, NotJson):
        return None


def integer_of(written: str) -> int:
    """The integer; one that is far beyond the range becomes one that is just beyond it, for Python's sake."""
    return int(written) if len(written) < 1_000 else 10**40


def _stopped(code: str, raw: bytes) -> list[Fault]:
    personal = has_personal_number(raw.decode(errors="replace"))
    return [(code, "")] + ([("personal-data", "")] if personal else [])


def scan(text: str) -> Shape:
    """Check the syntax without recursion."""
    scanner, position = Scanner(), 0
    while not (scanner.expected == "end" and BLANK.match(text, position)):
        token = TOKEN.match(text, position)
        if token is None or scanner.expected == "end":
            raise NotJson
        position = token.end()
        if token["mark"] is not None:
            scanner.take_mark(token["mark"])
        elif token["string"] is not None and scanner.expected in ("name", "name-or-end"):
            scanner.take_name(json.loads(token["string"]))
        else:
            scanner.take_value()
    names = scanner.outermost
    return Shape(scanner.repeated, scanner.deepest, None if names is None else frozenset(names))


@dataclass
class Scanner:
    """Where in the text we are: the names of each open object (None for a list), and what may come next.

    `expected` is a value, name, colon, comma or the end; "…-or-end" where the list or object may be empty.
    """

    open_names: list[set[str] | None] = field(default_factory=list)
    outermost: set[str] | None = None
    expected: str = "value"
    deepest: int = 0
    repeated: bool = False

    def take_mark(self, mark: str) -> None:
        """One of `{}[]:,`."""
        if mark in "{[":
            self._expect("value", "value-or-end")
            self.open_names.append(set() if mark == "{" else None)
            self.outermost = self.open_names[0]
            self.deepest = max(self.deepest, len(self.open_names))
            self.expected = "name-or-end" if mark == "{" else "value-or-end"
        elif mark in "}]":
            self._expect("comma", "name-or-end" if mark == "}" else "value-or-end")
            if not self.open_names or (self.open_names.pop() is None) == (mark == "}"):
                raise NotJson
            self.expected = "comma" if self.open_names else "end"
        elif mark == ":":
            self._expect("colon")
            self.expected = "value"
        else:
            self._expect("comma")
            self.expected = "value" if self.open_names[-1] is None else "name"

    def take_name(self, name: str) -> None:
        """The name of a member."""
        names = self.open_names[-1]
        assert names is not None
        self.repeated = self.repeated or name in names
        names.add(name)
        self.expected = "colon"

    def take_value(self) -> None:
        """A string, a number or a literal."""
        self._expect("value", "value-or-end")
        self.expected = "comma" if self.open_names else "end"

    def _expect(self, *possible: str) -> None:
        if self.expected not in possible:
            raise NotJson
