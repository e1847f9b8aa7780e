"""The elements of a JSON array as the bytes they were sent in: a batch's events are hashed and stored verbatim.

Nothing is parsed here but brackets, strings and commas; whether an element is well-formed is for the door to say.
"""

from __future__ import annotations

import re
from typing import Final

import orjson

_WHITE_SPACE: Final = b" \t\n\r"
_BETWEEN_OBJECTS: Final = re.compile(rb"\}[ \t\n\r]*,[ \t\n\r]*\{")
_TOKENS: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[{]|[\]}]|,', re.DOTALL)


class NotAnArray(ValueError):
    """The bytes are not one array."""


def cut_array(body: bytes, elements_max: int) -> list[bytes]:
    """The pieces between `}` , `{`: the elements, if each is an object by itself. Raises `NotAnArray`.

    No proper beginning of a JSON object is a JSON object, so that such a piece can only be a whole element. Whoever
    reads each piece has proven it; whoever finds one that is none asks `split_array`. At most `elements_max` + 1
    pieces: whoever sent more need not be read to the end.
    """
    inner = _inner(body)
    pieces: list[bytes] = []
    start = 0
    for found in _BETWEEN_OBJECTS.finditer(inner):
        pieces.append(inner[start : found.start() + 1])
        start = found.end() - 1
        if len(pieces) > elements_max:
            return pieces
    if inner:
        pieces.append(inner[start:])
    return pieces


def split_array(body: bytes, elements_max: int) -> list[bytes]:
    """The elements without the white space around them, at most `elements_max` + 1. Raises `NotAnArray`."""
    pieces = cut_array(body, elements_max)
    return pieces if all(map(_is_object, pieces)) else _split_carefully(_inner(body), elements_max)


def _inner(body: bytes) -> bytes:
    text = body.strip(_WHITE_SPACE)
    if len(text) < 2 or text[:1] != b"[" or text[-1:] != b"]":
        raise NotAnArray
    return text[1:-1].strip(_WHITE_SPACE)


def _is_object(piece: bytes) -> bool:
    try:
        orjson.loads(piece)
    except orjson.JSONDecodeError:
        return False
    return piece[:1] == b"{"


def _split_carefully(inner: bytes, elements_max: int) -> list[bytes]:
    """Cut at the commas outside brackets and strings."""
    pieces = []
    start = depth = 0
    for token in _TOKENS.finditer(inner):
        mark = inner[token.start()]
        if mark in b"[{":
            depth += 1
        elif mark in b"]}":
            depth -= 1
            if depth < 0:
                raise NotAnArray
        elif mark == 0x2C and depth == 0:
            pieces.append(inner[start : token.start()].strip(_WHITE_SPACE))
            start = token.end()
            if len(pieces) > elements_max:
                return pieces
    pieces.append(inner[start:].strip(_WHITE_SPACE))
    if depth or not all(pieces):
        raise NotAnArray
    return pieces
