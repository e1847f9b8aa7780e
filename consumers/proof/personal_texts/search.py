"""Finds a text in what an agency wrote: in an event, or in the bytes of a refused record. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import orjson

from events.errors import YesserError
from events.values.reading_order import folded

LETTERS_MIN: Final = 3


class TooShort(YesserError, ValueError):
    """So short a text is found in nearly every event."""


def wanted(text: str) -> str:
    """What is searched for. Raises `TooShort`."""
    found = folded(text)
    if len(found.replace(" ", "")) < LETTERS_MIN:
        raise TooShort(f"write at least {LETTERS_MIN} letters or digits of the name")
    return found


def places(raw: bytes, text: str) -> list[tuple[str, str]]:
    """Where a record's bytes hold `text` (as of `wanted`): JSON pointer and the whole text there.

    Names of members count as their values do. What is no JSON is one text, at the pointer "".
    """
    try:
        texts = list(_texts(orjson.loads(raw), ""))
    except orjson.JSONDecodeError:
        texts = [("", raw.decode(errors="replace"))]
    # One search over all of them settles nearly every record.
    if text not in folded("\n".join(value for _, value in texts)):
        return []
    return [(pointer, value) for pointer, value in texts if text in folded(value)]


def _texts(value: Any, pointer: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield pointer, value
    elif isinstance(value, dict):
        for name, member in value.items():
            below = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
            yield below, name
            yield from _texts(member, below)
    elif isinstance(value, list):
        for number, member in enumerate(value):
            yield from _texts(member, f"{pointer}/{number}")
