"""What routes of the API answer, and what pages show: the same functions, asked by the same kind of caller.

A function of the read API checks what its caller may read, and reads one snapshot:

    async def projects_for(reader: Reader, limit: Limit = 100, after: After = None) -> ReadAnswer[list[Project]]

A route answers with the log index, an entity tag, and the address of the next page in headers; its body is what the
command of the same name prints with `--json`. Most routes are such a function, which pages call too (`read_route`). One
with formats or names of its own takes its `ReadRequest` as a parameter (`Reading`), which `consumers.api.routes`
prepares. What the OpenAPI document says of the answers is here too: a test compares real answers with it.

An entity tag is weak, the log index of the read models that an answer shows: another version of this program may write
the same figures in other bytes. While consumers are at different indexes it has all of them, because any may be the
next to move.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from inspect import signature
from typing import Annotated, Any, Final, Generic, TypeVar, get_args
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Request, Response

from consumers.api.calculation_pool import Calculations
from consumers.api.parameters import Key, cursor_of
from consumers.replay.as_of.view import NotStarted, View, live_view
from consumers.replay.fold.consumer import Consumer
from events.values.working_days import riyadh_date
from events.wire.entry import recorded_time
from infra.clock import Clock
from infra.http.callers import Caller
from infra.http.documents import BINARY, INTEGER, TEXT, Schema, answer, problems, schema_of
from infra.http.negotiation import preferred
from infra.http.problems import Problem
from infra.http.routes import RouteParts
from infra.json_documents import to_json
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
    now: Clock
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


_LOG_INDEX: Final = {"description": "Entries applied to what is shown.", "schema": INTEGER}
_TAG: Final = {"description": "Send it as If-None-Match: 304 while nothing has changed.", "schema": TEXT}
_FILE: Final = {"description": "Of the text: the name to save it under.", "schema": TEXT}
_LINK: Final = {"description": "The address of the next page (RFC 8288), if there is one.", "schema": TEXT}


def answers(
    description: str, document: Any, *, paged: bool = False, csv: bool = False, tagged: bool = True
) -> dict[int | str, Schema]:
    """Those of a route that gives a document, or a `list` of documents; `tagged`: with an entity tag."""
    found = described(description, document)
    return responses(found, paged=paged, csv=csv) if tagged else plain(found, paged=paged)


def described(description: str, document: Any) -> Schema:
    return answer(description, schema_of(document))


def responses(document: Schema, *, paged: bool = False, csv: bool = False) -> dict[int | str, Schema]:
    """`csv`: also as `text/csv`, for a client that prefers it."""
    if csv:
        document = {**document, "content": {**document["content"], "text/csv": {"schema": TEXT}}}
    headers = {"Log-Index": _LOG_INDEX, "ETag": _TAG, **({"Link": _LINK} if paged else {})}
    return {
        200: {**document, "headers": headers},
        304: {"description": "Not modified."},
        **problems(400, 401, 403, 404, 422, 429, 503),
    }


def in_formats(document: Schema, formats: Mapping[str, Any]) -> Schema:
    """A document that other media types show too; `formats` have a `media_type` each."""
    others = {known.media_type: {"schema": BINARY} for known in formats.values()}
    return {**document, "content": {**document["content"], **others}}


def in_text(document: Schema, media_type: str) -> Schema:
    """A document that a client can have as a text too, to save under a name."""
    content = {**document["content"], media_type: {"schema": TEXT}}
    return {**document, "content": content, "headers": {"Content-Disposition": _FILE}}


def plain(document: Schema, *, paged: bool = False) -> dict[int | str, Schema]:
    """Without an entity tag: what grows with the log."""
    headers = {"headers": {"Link": _LINK}} if paged else {}
    return {200: document | headers, **problems(400, 401, 403, 404, 422, 429, 503)}


JSON = "application/json"
CSV = "text/csv"
Csv = Callable[[Any], str]
"""The document as CSV."""
Ask = TypeVar("Ask", bound=Callable[..., Awaitable[ReadAnswer[Any]]])
"""A function of the read API. Its first parameter is the reader."""


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """A request that reads the read models or the log."""

    parts: RouteParts
    http: Request

    async def caller(self) -> Caller:
        """The sender of the request. Raises `Problem` (401, 429, 503)."""
        return await self.parts.caller(self.http)

    async def reader(self, format: str = "") -> Reader:
        """The sender of the request, as functions of the read API take it. Raises `Problem` (401, 429, 503)."""
        return Reader(self.http.state.reads, await self.caller(), self.http.headers.get("if-none-match"), format)

    async def respond(
        self, ask: Callable[[Reader], Awaitable[ReadAnswer[Any]]], csv: Csv | None = None, media_type: str = JSON
    ) -> Response:
        """What the sender of the request is answered; 304 if the client has this state.

        With `csv` the client may prefer the document as `text/csv`. Bytes are sent as they are.
        """
        accept = self.http.headers.get("accept", "")
        as_csv = csv if csv is not None and preferred(accept, (JSON, CSV)) == CSV else None
        reader = await self.reader("" if as_csv is None else "csv")
        try:
            answer = await ask(reader)
        except Unchanged as unchanged:
            return Response(None, 304, unchanged.state.headers())
        headers = answer.state.headers()
        if answer.next is not None:
            headers |= self.next_page(after=answer.next)
        if as_csv is not None:
            return Response(as_csv(answer.document), 200, headers, f"{CSV}; charset=utf-8")
        body = answer.document if isinstance(answer.document, bytes) else to_json(answer.document)
        return Response(body, 200, headers, media_type)

    def next_page(self, **changed: str | int) -> dict[str, str]:
        """The header with the address of the next page: this one with other parameters."""
        given = [(name, value) for name, value in self.http.query_params.multi_items() if name not in changed]
        return {"Link": f'<{quote(self.http.url.path)}?{urlencode([*given, *changed.items()])}>; rel="next"'}


async def _read_request(request: Request) -> ReadRequest:
    return ReadRequest(request.state.parts, request)


Reading = Annotated[ReadRequest, Depends(_read_request)]
"""A route's parameter."""


def read_route(
    routes: APIRouter,
    path: str,
    name: str,
    summary: str,
    answer: str = "",
    csv: Csv | None = None,
    *,
    tagged: bool = True,
) -> Callable[[Ask], Ask]:
    """Serve a function of the read API: its reader is the sender of the request, its other parameters are in the
    address. Its type, and its docstring without what follows a form feed, are in the OpenAPI document.

    `name` begins the operation's id there, by which clients call it; `answer` says what the summary does not; `csv`:
    as for `ReadRequest.respond`; `tagged`: whether the answer has an entity tag.
    """

    def served(ask: Ask) -> Ask:
        asked = signature(ask, eval_str=True)
        reader, *given = asked.parameters.values()
        (document,) = get_args(asked.return_annotation)

        async def endpoint(request: ReadRequest, **given: Any) -> Response:
            return await request.respond(lambda reader: ask(reader, **given), csv)

        own = asked.replace(parameters=[reader.replace(name="request", annotation=Reading), *given])
        endpoint.__signature__ = own.replace(return_annotation=Response)  # type: ignore[attr-defined]
        endpoint.__doc__ = ask.__doc__
        said, is_paged = answer or f"{summary}.", "after" in asked.parameters
        responses = answers(said, document, paged=is_paged, csv=csv is not None, tagged=tagged)
        routes.add_api_route(path, endpoint, name=name, summary=summary, responses=responses)
        return ask

    return served


def found(row: T | None) -> T:
    """Raises `Problem` (404) for None."""
    if row is None:
        raise Problem("not-found")
    return row
