"""How every route answers: one snapshot, its log index, an entity tag, and the address of the next page.

The body is what the command of the same name prints with `--json`; the rest is in headers.
A route takes its `ReadRequest` as a parameter (`Reading`), which `consumers.read_api.routes` prepares.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar
from urllib.parse import quote, urlencode

from fastapi import Depends, Request, Response
from msgspec import Struct

from consumers.access_scope import AccessScope
from consumers.as_of.view import NotStarted, View, live_view
from consumers.fold.consumer import Consumer
from consumers.read_api.access import money_scope, programme_scope, scope_of
from consumers.read_api.cursor import Key, cursor_of
from consumers.read_api.etag import names, state_headers
from consumers.read_api.reader import Answer, Reader, Unchanged
from events.values.working_days import riyadh_date
from events.wire.entry import recorded_time
from infra.http.callers import Caller
from infra.http.negotiation import preferred
from infra.http.problems import Problem
from infra.http.routes import RouteParts
from infra.json_documents import to_json
from infra.postgres.connection import Connection

JSON = "application/json"
CSV = "text/csv"
Row = TypeVar("Row")
Question = Callable[[View], Awaitable["Shown"]]
Csv = Callable[[Any], str]
"""The document as CSV."""
Rows = Callable[[Connection], Awaitable[list[Any]]]
"""Rows or documents."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A document, and the key after which its next page begins, if there is one."""

    document: Any
    next: Key | None = None


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """A request that reads the read models or the log."""

    parts: RouteParts
    http: Request

    async def caller(self) -> Caller:
        """The sender of the request. Raises `Problem` (401, 429, 503)."""
        return await self.parts.caller(self.http)

    async def scope(self) -> AccessScope:
        """See `access.scope_of`. Raises `Problem` (401, 403, 429, 503)."""
        return scope_of(await self.caller())

    async def money_scope(self) -> AccessScope:
        """See `access.money_scope`. Raises `Problem` (401, 403, 429, 503)."""
        return money_scope(await self.caller())

    async def programme_scope(self) -> AccessScope:
        """See `access.programme_scope`. Raises `Problem` (401, 403, 429, 503)."""
        return programme_scope(await self.caller())

    async def reader(self, format: str = "") -> Reader:
        """The sender of the request, as functions of the read API take it. Raises `Problem` (401, 429, 503)."""
        return Reader(self.http.state.reads, await self.caller(), self.http.headers.get("if-none-match"), format)

    def today(self) -> str:
        """The civil date in Riyadh."""
        return riyadh_date(recorded_time(self.http.state.reads.now()))

    async def respond(
        self, ask: Callable[[Reader], Awaitable[Answer[Any]]], csv: Csv | None = None, media_type: str = JSON
    ) -> Response:
        """What the sender of the request is answered; 304 if the client has this state.

        With `csv` the client may prefer the document as `text/csv`. A document that is no JSON is bytes.
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
        return Response(to_json(answer.document) if media_type == JSON else answer.document, 200, headers, media_type)

    async def answer(
        self, consumers: Sequence[Consumer], question: Question, variant: str = "", csv: Csv | None = None
    ) -> Response:
        """The answer to a question about the live tables of `consumers`; 304 if the client has this state.

        `variant` names the format, where a route has several, or the day on which the answer depends: each has tags of
        its own. With `csv` the client may prefer the document as `text/csv`.
        """
        accept = self.http.headers.get("accept", "")
        as_csv = csv if csv is not None and preferred(accept, (JSON, CSV)) == CSV else None
        variant = variant if as_csv is None else f"{variant}csv"
        try:
            async with self.parts.connection() as connection, live_view(connection, consumers) as view:
                headers = state_headers(view.positions.values(), variant=variant)
                if names(self.http.headers.get("if-none-match"), headers["ETag"]):
                    return Response(None, 304, headers)
                shown = await question(view)
        except NotStarted:
            raise Problem("database-away", retry_after_s=5) from None
        if shown.next is not None:
            headers |= self.next_page(after=cursor_of(shown.next))
        if as_csv is not None:
            return Response(as_csv(shown.document), 200, headers, f"{CSV}; charset=utf-8")
        return Response(to_json(shown.document), 200, headers, JSON)

    async def page(self, consumer: Consumer, rows: Rows, limit: int, *columns: str, **given: Any) -> Response:
        """A page of a list in the order of these columns; `rows` asks for one row more than `limit`.

        `given` are arguments of `answer`.
        """

        async def shown(view: View) -> Shown:
            return Shown(*page(await rows(await view.use(consumer)), limit, *columns))

        return await self.answer([consumer], shown, **given)

    async def one(
        self,
        consumer: Consumer,
        row: Callable[[Connection], Awaitable[Row | None]],
        shape: Callable[[Row], Any] = lambda row: row,
    ) -> Response:
        """One row, as `shape` shows it. Raises `Problem` (404) where there is none."""

        async def shown(view: View) -> Shown:
            return Shown(shape(found(await row(await view.use(consumer)))))

        return await self.answer([consumer], shown)

    def next_page(self, **changed: str | int) -> dict[str, str]:
        """The header with the address of the next page: this one with other parameters."""
        given = [(name, value) for name, value in self.http.query_params.multi_items() if name not in changed]
        return {"Link": f'<{quote(self.http.url.path)}?{urlencode([*given, *changed.items()])}>; rel="next"'}


async def _read_request(request: Request) -> ReadRequest:
    return ReadRequest(request.state.parts, request)


Reading = Annotated[ReadRequest, Depends(_read_request)]
"""A route's parameter."""


def page(rows: list[Any], limit: int, *columns: str) -> tuple[list[Any], Key | None]:
    """The first `limit` rows or documents, and the key after which the next page begins if there are more."""
    if len(rows) <= limit:
        return rows, None
    last = rows[limit - 1]
    return rows[:limit], tuple(getattr(last, name) if isinstance(last, Struct) else last[name] for name in columns)


def found(row: Row | None) -> Row:
    """Raises `Problem` (404) for None."""
    if row is None:
        raise Problem("not-found")
    return row
