"""Which state of the past is asked for, and for how long its answer may be kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from fastapi import Request

from consumers.as_of.point_in_time import entries_recorded_by
from consumers.read_api.etag import names, tag_of
from infra.http.problems import Problem
from infra.http.routes import RouteParts
from infra.log.reader import log_size

FOR_EVER_S: Final = 31_536_000


@dataclass(frozen=True, slots=True)
class Past:
    """The state after `index` entries. `is_settled`: the question will have the same answer for ever."""

    index: int
    is_settled: bool

    def is_known_to(self, request: Request) -> bool:
        """Whether the sender has this state already."""
        return names(request.headers.get("if-none-match"), tag_of([self.index]))

    def headers(self) -> dict[str, str]:
        """What the answer says of itself."""
        return {
            "ETag": tag_of([self.index]),
            "Log-Index": str(self.index),
            "Cache-Control": f"private, max-age={FOR_EVER_S}, immutable" if self.is_settled else "private, no-cache",
            "Vary": "Authorization",
        }


async def past_of(parts: RouteParts, as_of_index: int | None, as_of_recorded: str | None) -> Past:
    """The state that one of the two names. Raises `Problem` (422) for both, or for a state that the log has not yet.

    Recorded times never fall, so as of a time that a later entry has the log is settled.
    """
    if as_of_index is not None and as_of_recorded is not None:
        raise _bad("as_of_recorded", "Give only one of as_of_index and as_of_recorded.")
    async with parts.connection() as connection:
        size = await log_size(connection)
        if as_of_recorded is not None:
            index = await entries_recorded_by(connection, datetime.fromisoformat(as_of_recorded.upper()))
            return Past(index, is_settled=index < size)
    index = size if as_of_index is None else as_of_index
    if index > size:
        raise _bad("as_of_index", f"The log has {size} entries, so there is no state after {index}.")
    return Past(index, is_settled=True)


def _bad(parameter: str, detail: str) -> Problem:
    return Problem("bad-parameter", errors=[{"code": "invalid-value", "parameter": parameter, "detail": detail}])
