"""Cursors: the key of the last row of the page before, encoded.

A page begins after a key and not at a row number, so a list that grows meanwhile neither repeats nor skips a row.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Final, TypeVar

import orjson

from events.values.bilingual import Bilingual
from infra.http.problems import Problem

Key = tuple[str | int, ...]
T = TypeVar("T", str, int)
INTEGER_MAX: Final = 2**53
TEXT_LENGTH_MAX: Final = 256


def cursor_of(key: Key) -> str:
    """The cursor of the page after the row with this key."""
    return base64.urlsafe_b64encode(orjson.dumps(key)).rstrip(b"=").decode()


def text_after(cursor: str | None) -> str:
    """The key of a list that is in the order of ids; "" at its beginning. Raises `Problem` (422)."""
    (text,) = _key(cursor, ("",))
    return text


def texts_after(cursor: str | None) -> tuple[str, str]:
    """The key of a list that is in the order of two texts; ("", "") at its beginning. Raises `Problem` (422)."""
    first, second = _key(cursor, ("", ""))
    return first, second


def index_after(cursor: str | None) -> int:
    """The key of a list in log order; -1 at its beginning. Raises `Problem` (422)."""
    (index,) = _key(cursor, (-1,))
    return index


def indexes_after(cursor: str | None) -> tuple[int, int]:
    """The key of a list that is in the order of two numbers; (-1, -1) at its beginning. Raises `Problem` (422)."""
    first, second = _key(cursor, (-1, -1))
    return first, second


def _key(cursor: str | None, beginning: tuple[T, ...]) -> Sequence[T]:
    """The key of a cursor, of as many parts as `beginning` and of its type."""
    if cursor is None:
        return beginning
    try:
        key = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError):
        raise _unknown() from None
    if not isinstance(key, list) or len(key) != len(beginning):
        raise _unknown()
    if not all(type(part) is type(beginning[0]) and _can_be_in_a_key(part) for part in key):
        raise _unknown()
    return key


def _can_be_in_a_key(part: str | int) -> bool:
    if isinstance(part, str):
        return len(part) <= TEXT_LENGTH_MAX and "\0" not in part
    return 0 <= part <= INTEGER_MAX


def _unknown() -> Problem:
    detail = Bilingual(
        "خذ عنوان الصفحة التالية من الترويسة Link؛ فمؤشرها لا يُكتب باليد.",
        "Take the address of the next page from the header Link; its cursor cannot be made by hand.",
    )
    return Problem("bad-parameter", errors=[{"code": "invalid-value", "parameter": "after", "detail": detail}])
