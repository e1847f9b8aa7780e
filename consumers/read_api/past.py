"""The past state that a request asks for, and how long its answer may be cached."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from fastapi import Request

from consumers.read_api.etag import names, state_headers, tag_of
from events.faults.problems import Bilingual
from infra.http.problems import Problem
from infra.http.routes import RouteParts
from infra.log.reader import entries_recorded_by, log_size

YEAR_S: Final = 31_536_000
_ONLY_ONE: Final = Bilingual(
    "اكتب as_of_index أو as_of_recorded، لا كليهما.", "Give only one of as_of_index and as_of_recorded."
)


@dataclass(frozen=True, slots=True)
class Past:
    """The state after `index` entries. `is_settled`: the answer will never change."""

    index: int
    is_settled: bool

    def is_known_to(self, request: Request) -> bool:
        """Whether the client already has this state."""
        return names(request.headers.get("if-none-match"), tag_of([self.index]))

    def headers(self) -> dict[str, str]:
        settled = f"private, max-age={YEAR_S}, immutable"
        return state_headers([self.index], settled) if self.is_settled else state_headers([self.index])


async def past_of(parts: RouteParts, as_of_index: int | None, as_of_recorded: str | None) -> Past:
    """The state that one of the two names. Raises `Problem` (422) for both, or for a state that does not exist yet.

    Recorded times never fall, so a time is settled once the log has a later entry.
    """
    if as_of_index is not None and as_of_recorded is not None:
        raise _bad("as_of_recorded", _ONLY_ONE)
    async with parts.connection() as connection:
        size = await log_size(connection)
        if as_of_recorded is not None:
            index = await entries_recorded_by(connection, datetime.fromisoformat(as_of_recorded.upper()))
            return Past(index, is_settled=index < size)
    index = size if as_of_index is None else as_of_index
    if index > size:
        detail = Bilingual(
            f"عدد قيود السجل {size}، فلا حالة بعد {index}.",
            f"The log has {size} entries, so there is no state after {index}.",
        )
        raise _bad("as_of_index", detail)
    return Past(index, is_settled=True)


def _bad(parameter: str, detail: Bilingual) -> Problem:
    return Problem("bad-parameter", errors=[{"code": "invalid-value", "parameter": parameter, "detail": detail}])
