"""Parameters of several routes, with their limits, and cursors: the key of the last row of the page before, encoded.

A page begins after a key and not at a row number, so a list that grows meanwhile neither repeats nor skips a row.
"""

from __future__ import annotations

import base64
import binascii
import re
from functools import cache
from typing import Annotated, Any, Final, TypeVar

import msgspec
import orjson
from fastapi import Path, Query
from msgspec import Meta
from pydantic import TypeAdapter, ValidationError

from events.values.bilingual import Bilingual
from events.values.fields import CODE_PATTERN, DATE_PATTERN, ID_PATTERN, PERIOD_PATTERN, TIME_PATTERN
from infra.http.parameters import bad_parameter
from infra.http.problems import Problem

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


PAGE_ROWS_MAX: Final = 1_000
_NO_NUL: Final = r"^[^\x00]*$"


def checked(parameter: Any, text: str) -> Any:
    """A parameter that somebody typed into a form, by its type here; None for "". Raises `Problem` (422)."""
    try:
        return _adapter(parameter).validate_python(text or None)
    except ValidationError:
        raise Problem("bad-parameter") from None


@cache
def _adapter(parameter: Any) -> TypeAdapter[Any]:
    return TypeAdapter(parameter)


def known(text: str) -> str:
    """An id in the address of a page. Raises `Problem` (404) for a text that cannot be one."""
    if re.match(ID_PATTERN, text) is None:
        raise Problem("not-found")
    return text


Limit = Annotated[int, Query(ge=1, le=PAGE_ROWS_MAX, description="Maximum number of rows of a page.")]
After = Annotated[
    str | None,
    Query(max_length=1_024, description="Where the page begins: take it from the header Link of the page before."),
]
AgencyCode = Annotated[
    str | None,
    Query(pattern=CODE_PATTERN, description="Only of this agency; another's needs the scope log:read."),
]
Text = Annotated[str | None, Query(max_length=TEXT_LENGTH_MAX, pattern=_NO_NUL)]
AsOfIndex = Annotated[
    int | None,
    Query(ge=0, le=INTEGER_MAX, description="As it was after this number of entries of the log. Default: now."),
]
AsOfRecorded = Annotated[
    str | None,
    Query(pattern=TIME_PATTERN, description="As the log was at this time, like `2026-11-25T08:00:00Z`."),
]
AsOfOccurred = Annotated[
    str | None,
    Query(
        pattern=DATE_PATTERN,
        description="Only what had occurred by this date, like `2026-11-25`, whenever recorded; no partnerships.",
    ),
]
Before = Annotated[str | None, Query(pattern=DATE_PATTERN, description="Only before this date, like `2026-11-25`.")]
Id = Annotated[str, Path(pattern=ID_PATTERN)]
Period = Annotated[str, Path(pattern=PERIOD_PATTERN, description="A month (`1426-03`) or a quarter (`2005-Q1`).")]
Index = Annotated[int, Path(ge=0, le=INTEGER_MAX)]
