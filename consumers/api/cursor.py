"""Cursors: the key of the last row of the page before, encoded.

A page begins after a key and not at a row number, so a list that grows meanwhile neither repeats nor skips a row.
"""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Final, TypeVar

import msgspec
import orjson
from msgspec import Meta

from events.values.bilingual import Bilingual
from infra.http.parameters import bad_parameter

Key = tuple[str | int, ...]
T = TypeVar("T")
INTEGER_MAX: Final = 2**53
TEXT_LENGTH_MAX: Final = 256
_Text = Annotated[str, Meta(max_length=TEXT_LENGTH_MAX, pattern=r"^[^\x00]*\Z")]
_Index = Annotated[int, Meta(ge=0, le=INTEGER_MAX)]
_NOT_OURS: Final = Bilingual(
    "خذ عنوان الصفحة التالية من الترويسة Link؛ فمؤشرها لا يُكتب باليد.",
    "Take the address of the next page from the header Link; its cursor cannot be made by hand.",
)


def cursor_of(key: Key) -> str:
    """The cursor of the page after the row with this key."""
    return base64.urlsafe_b64encode(orjson.dumps(key)).rstrip(b"=").decode()


def text_after(cursor: str | None) -> str:
    """The key of a list that is in the order of ids; "" at its beginning. Raises `Problem` (422)."""
    return "" if cursor is None else _key(cursor, tuple[_Text])[0]


def texts_after(cursor: str | None) -> tuple[str, str]:
    """The key of a list that is in the order of two texts; ("", "") at its beginning. Raises `Problem` (422)."""
    return ("", "") if cursor is None else _key(cursor, tuple[_Text, _Text])


def index_after(cursor: str | None) -> int:
    """The key of a list in log order; -1 at its beginning. Raises `Problem` (422)."""
    return -1 if cursor is None else _key(cursor, tuple[_Index])[0]


def indexes_after(cursor: str | None) -> tuple[int, int]:
    """The key of a list that is in the order of two numbers; (-1, -1) at its beginning. Raises `Problem` (422)."""
    return (-1, -1) if cursor is None else _key(cursor, tuple[_Index, _Index])


def _key(cursor: str, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=kind)
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        raise bad_parameter("after", _NOT_OURS) from None
