"""Parameters of several routes, with their limits."""

from __future__ import annotations

import re
from functools import cache
from typing import Annotated, Any, Final

from fastapi import Path, Query
from pydantic import TypeAdapter, ValidationError

from consumers.api.cursor import INTEGER_MAX, TEXT_LENGTH_MAX
from events.values.fields import CODE_PATTERN, DATE_PATTERN, ID_PATTERN, PERIOD_PATTERN, TIME_PATTERN
from infra.http.problems import Problem

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
