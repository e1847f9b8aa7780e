"""The elements of a JSON array as their original bytes: a batch's events are hashed and stored verbatim.

Validation checks each element. An array that no parser accepts is therefore split too, at the commas outside brackets
and strings, if its brackets match.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from events.errors import Reject
from infra.http.problems import Problem

_ARRAY: Final = msgspec.json.Decoder(list[msgspec.Raw])
_COMMAS_PER_ELEMENT_MAX: Final = 250
"""An array with more commas may have millions of elements: `split_by_hand` stops after `elements_max`."""
_TOKENS_MAX: Final = 250_000
"""Brackets, strings and commas that `split_by_hand` reads in 30 ms. A thousand events have 80,000."""

_WHITE_SPACE: Final = b" \t\n\r"
_TOKENS: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[{]|[\]}]|,', re.DOTALL)


class NotAnArray(Reject):
    """The bytes are not one array."""


class TooManyTokens(Reject):
    """The array has too many brackets, strings and commas."""


def split_batch(body: bytes, events_max: int) -> list[bytes]:
    """The events of a batch. Raises `Problem` if it is not an array, or has more than `events_max`."""
    try:
        values = split_array(body, events_max)
    except NotAnArray:
        raise Problem("malformed-request") from None
    except TooManyTokens:
        raise Problem("request-too-large") from None
    if len(values) > events_max:
        raise Problem("too-many-events")
    return values


def split_array(body: bytes, elements_max: int) -> list[bytes]:
    """The elements without surrounding white space. Raises `NotAnArray`, or `TooManyTokens` where no parser splits it.

    With more than `elements_max` elements, at least one more than that is returned.
    """
    if body.count(b",") <= _COMMAS_PER_ELEMENT_MAX * elements_max:
        try:
            return list(map(bytes, _ARRAY.decode(body)))
        except (msgspec.DecodeError, RecursionError):
            pass
    return split_by_hand(body, elements_max)


def split_by_hand(body: bytes, elements_max: int) -> list[bytes]:
    """The same for any array, well-formed or not. `split_array` is the fast way where all elements are JSON."""
    text = body.strip(_WHITE_SPACE)
    if len(text) < 2 or text[:1] != b"[" or text[-1:] != b"]":
        raise NotAnArray
    inner = text[1:-1].strip(_WHITE_SPACE)
    pieces: list[bytes] = []
    start = depth = 0
    for number, token in enumerate(_TOKENS.finditer(inner)):
        if number == _TOKENS_MAX:
            raise TooManyTokens
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
    if inner:
        pieces.append(inner[start:].strip(_WHITE_SPACE))
    if depth or not all(pieces):
        raise NotAnArray
    return pieces
