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


def split_array(body: bytes, elements_max: int) -> list[bytes]:
    """The elements without the white space around them. Raises `NotAnArray`.

    At most `elements_max` + 1 of them: whoever sent more need not be read to the end.
    """
    text = body.strip(_WHITE_SPACE)
    if len(text) < 2 or text[:1] != b"[" or text[-1:] != b"]":
        raise NotAnArray
    inner = text[1:-1].strip(_WHITE_SPACE)
    if not inner:
        return []
    return _split_quickly(inner, elements_max) or _split_carefully(inner, elements_max)


def _split_quickly(inner: bytes, elements_max: int) -> list[bytes] | None:
    """The elements, if each piece between `}` , `{` is an object by itself, else None.

    No proper beginning of a JSON object is a JSON object, so that such a piece can only be a whole element.
    """
    pieces = []
    start = 0
    for found in _BETWEEN_OBJECTS.finditer(inner):
        pieces.append(inner[start : found.start() + 1])
        start = found.end() - 1
        if len(pieces) > elements_max:
            break
    pieces.append(inner[start:])
    try:
        for piece in pieces[: elements_max + 1]:
            if piece[:1] != b"{":
                return None
            orjson.loads(piece)
    except orjson.JSONDecodeError:
        return None
    return pieces


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
