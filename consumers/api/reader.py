"""What routes of the API answer, and what pages show: the same functions, asked by the same kind of caller.

    async def projects_for(reader: Reader, limit: Limit = 100, after: After = None) -> ReadAnswer[list[Project]]

Such a function checks what its caller may read, and reads one snapshot.

An answer has a weak entity tag, the log index of the read models that it shows: another version of this program may
write the same figures in other bytes. While consumers are at different indexes it has all of them, because any may be
the next to move.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from consumers.api.calculation_pool import Calculations
from consumers.api.parameters import Key, cursor_of
from consumers.replay.as_of.view import NotStarted, View, live_view
from consumers.replay.fold.consumer import Consumer
from events.values.working_days import riyadh_date
from events.wire.entry import recorded_time
from infra.http.callers import Caller
from infra.http.problems import Problem
from infra.postgres.connection import Connection

T = TypeVar("T")
REVALIDATED = "private, no-cache"


@dataclass(frozen=True, slots=True)
class State:
    """The state that an answer shows: the positions of its read models. One that shows none has no tag.

    `variant` names the format, where an answer has several, or the day on which it depends: each has tags of its own.
    """

    positions: Sequence[int] = ()
    variant: str = ""
    cache_control: str = REVALIDATED

    def headers(self) -> dict[str, str]:
        if not self.positions:
            return {}
        return {
            "ETag": tag_of(self.positions, self.variant),
            "Log-Index": str(min(self.positions)),
            "Cache-Control": self.cache_control,
            "Vary": "Authorization, Accept",
        }


@dataclass(frozen=True, slots=True)
class ReadAnswer(Generic[T]):
    """A document, the state that it shows, and the cursor of its next page, if there is one."""

    document: T
    state: State = State()
    next: str | None = None

    @property
    def log_index(self) -> int:
        """The number of entries from which it is made."""
        return min(self.state.positions)


class Unchanged(Exception):
    """The client has the answer of this state already."""

    def __init__(self, state: State) -> None:
        super().__init__(state)
        self.state = state


@dataclass(frozen=True, slots=True)
class Reads:
    """What all callers of a process share. `connection` raises `Problem` (503) where all are in use."""

    connection: Callable[[], AbstractAsyncContextManager[Connection]]
    now: Callable[[], datetime]
    past_plans: Calculations
    calculations: Calculations
    papers: Calculations
    explanations: Calculations


@dataclass(frozen=True, slots=True)
class Reader:
    """One caller. `known`: the header `If-None-Match` of a request; `format`: that of its answer, "" for JSON."""

    reads: Reads
    caller: Caller
    known: str | None = None
    format: str = ""

    @property
    def today(self) -> str:
        """The civil date in Riyadh."""
        return riyadh_date(recorded_time(self.reads.now()))

    def require_unknown(self, state: State) -> None:
        """Raises `Unchanged`."""
        if names(self.known, state.headers()["ETag"]):
            raise Unchanged(state)

    async def read(
        self, consumers: Sequence[Consumer], question: Callable[[View], Awaitable[T]], variant: str = ""
    ) -> ReadAnswer[T]:
        """The answer to a question about the live tables of `consumers`. Raises `Problem` (503) and `Unchanged`."""
        try:
            async with self.reads.connection() as connection, live_view(connection, consumers) as view:
                state = State([*view.positions.values()], variant + self.format)
                self.require_unknown(state)
                return ReadAnswer(await question(view), state)
        except NotStarted:
            raise Problem("database-away", retry_after_s=5) from None

    async def page(
        self,
        consumer: Consumer,
        rows: Callable[[Connection], Awaitable[list[T]]],
        limit: int,
        key: Callable[[T], Key],
        variant: str = "",
    ) -> ReadAnswer[list[T]]:
        """A page of a list; `rows` reads one row more than `limit`, `key` is what the list is in the order of."""

        async def question(view: View) -> list[T]:
            return await rows(await view.use(consumer))

        return paged(await self.read([consumer], question, variant), limit, key)


def paged(answer: ReadAnswer[list[T]], limit: int, key: Callable[[T], Key]) -> ReadAnswer[list[T]]:
    """The first `limit` rows, and the cursor of the next page if there are more."""
    if len(answer.document) <= limit:
        return answer
    shown = answer.document[:limit]
    return ReadAnswer(shown, answer.state, cursor_of(key(shown[-1])))


def tag_of(positions: Collection[int], variant: str = "") -> str:
    """`W/"1042"`, or `W/"1042-1040-1042"` while consumers are at different indexes; `W/"1042.pdf"` of a variant."""
    shown = positions if len(set(positions)) > 1 else [min(positions)]
    return f'W/"{"-".join(map(str, shown))}{variant and f".{variant}"}"'


def names(if_none_match: str | None, tag: str) -> bool:
    """Whether the header `If-None-Match` names this tag, by the weak comparison of RFC 9110 §8.8.3.2."""
    given = (part.strip().removeprefix("W/") for part in (if_none_match or "").split(","))
    return tag.removeprefix("W/") in given
