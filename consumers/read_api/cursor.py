"""Cursors: the key of the last row of the page before, encoded.

A page begins after a key and not at a row number, so a list that grows meanwhile neither repeats nor skips a row.
"""

from __future__ import annotations

import base64
import binascii
from typing import Final

import orjson

from events.faults.problems import Bilingual
from infra.http.problems import Problem

Key = tuple[str | int, ...]
INTEGER_MAX: Final = 2**53
TEXT_LENGTH_MAX: Final = 256


def cursor_of(key: Key) -> str:
    """The cursor of the page after the row with this key."""
    return base64.urlsafe_b64encode(orjson.dumps(key)).rstrip(b"=").decode()


def text_after(cursor: str | None) -> str:
    """The key of a list that is in the order of ids; "" at its beginning. Raises `Problem` (422)."""
    match _key(cursor):
        case None:
            return ""
        case [str(text)] if len(text) <= TEXT_LENGTH_MAX and "\0" not in text:
            return text
    raise _unknown()


def texts_after(cursor: str | None) -> tuple[str, str]:
    """The key of a list that is in the order of two texts; ("", "") at its beginning. Raises `Problem` (422)."""
    match _key(cursor):
        case None:
            return "", ""
        case [str(first), str(second)] if all(len(t) <= TEXT_LENGTH_MAX and "\0" not in t for t in (first, second)):
            return first, second
    raise _unknown()


def index_after(cursor: str | None) -> int:
    """The key of a list in log order; -1 at its beginning. Raises `Problem` (422)."""
    match _key(cursor):
        case None:
            return -1
        case [int(index)] if _is_index(index):
            return index
    raise _unknown()


def indexes_after(cursor: str | None) -> tuple[int, int]:
    """The key of a list that is in the order of two numbers; (-1, -1) at its beginning. Raises `Problem` (422)."""
    match _key(cursor):
        case None:
            return -1, -1
        case [int(first), int(second)] if _is_index(first) and _is_index(second):
            return first, second
    raise _unknown()


def _key(cursor: str | None) -> list[object] | None:
    if cursor is None:
        return None
    try:
        found = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError):
        raise _unknown() from None
    if not isinstance(found, list):
        raise _unknown()
    return found


def _is_index(number: int) -> bool:
    return not isinstance(number, bool) and 0 <= number <= INTEGER_MAX


def _unknown() -> Problem:
    detail = Bilingual(
        "خذ عنوان الصفحة التالية من الترويسة Link؛ فمؤشرها لا يُكتب باليد.",
        "Take the address of the next page from the header Link; its cursor cannot be made by hand.",
    )
    return Problem("bad-parameter", errors=[{"code": "invalid-value", "parameter": "after", "detail": detail}])
