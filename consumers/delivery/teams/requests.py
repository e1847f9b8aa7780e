"""How the routes of teams read a request and make a change: whose it is, its body within limits, and its answer.

Changes are made under the gateway's own role, on a connection that is opened for one change: they are rare, and so take
none from the gateway's other work.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any, Concatenate, Final, ParamSpec, TypeVar

import orjson
import structlog
from fastapi import Depends, Request, Response
from msgspec import UNSET, Struct
from msgspec.structs import replace

from consumers.api.parameters import cursor_of
from consumers.api.reader import JSON, ReadRequest
from consumers.delivery.due_campaigns import NoTeam
from consumers.delivery.secrets import NoSealingKey
from consumers.delivery.teams.changes import Desk, NotAllowedNow, NotFound
from consumers.delivery.teams.inputs import Input, InvalidInput, validated
from infra.http.body import BodyLimits, read_body
from infra.http.callers import Caller
from infra.http.problems import Problem, language_of
from infra.http.rate_limits import RateLimit
from infra.http.routes import CONNECTION_WAIT_S, RouteParts
from infra.json_documents import to_json
from infra.log.signed_note import InvalidKey
from infra.postgres.connection import Connection, connected
from infra.postgres.trail import Actor

Answer = TypeVar("Answer")
P = ParamSpec("P")
Document = TypeVar("Document", bound=Struct)

log = structlog.get_logger()
BODY_BYTES_MAX: Final = 64 << 10
CHANGES_AT_ONCE_MAX: Final = 4
"""Of all agencies: each holds a connection."""
CHANGES_PER_S: Final = 0.2
CHANGES_BURST: Final = 100
"""Of one agency. Each change is a row of the trail."""


@dataclass(slots=True)
class Changes:
    """What limits the changes of this process."""

    parts: RouteParts
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(CHANGES_AT_ONCE_MAX))
    rate: RateLimit = field(default_factory=lambda: RateLimit(CHANGES_PER_S, CHANGES_BURST))

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Connection]:
        """A connection for one change. Raises `Problem` (503)."""
        try:
            async with asyncio.timeout(CONNECTION_WAIT_S):
                await self.slots.acquire()
        except TimeoutError:
            raise Problem("overloaded", retry_after_s=1) from None
        try:
            async with connected(self.parts.settings.acting_as("gateway"), "gateway teams") as connection:
                yield connection
        finally:
            self.slots.release()


@dataclass(frozen=True, slots=True)
class TeamRequest:
    """A request about the teams of its sender's agency."""

    changes: Changes
    http: Request

    async def sent(self, model: type[Input]) -> Input:
        """The body as a model. Raises `Problem` (400, 401, 403, 408, 413, 415, 422, 429, 503)."""
        await self.sender()
        if self.http.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
            raise Problem("unsupported-media-type")
        settings = self.changes.parts.settings
        bytes_max = min(BODY_BYTES_MAX, settings.gateway_body_bytes_max)
        limits = BodyLimits(bytes_max, settings.gateway_body_timeout_s)
        raw = await read_body(self.http.stream(), self.http.scope["headers"], limits)
        try:
            document = orjson.loads(raw)
        except orjson.JSONDecodeError:
            raise Problem("malformed-request") from None
        with self._problems():
            return validated(model, document)

    async def read(
        self,
        question: Callable[Concatenate[Connection, str, P], Awaitable[Answer]],
        *arguments: P.args,
        **named: P.kwargs,
    ) -> Answer:
        """What `question` returns about the sender's agency. Raises `Problem` (401, 403, 404, 422, 429, 503)."""
        agency = (await self.sender()).require_agency().code
        async with self.changes.parts.connection() as connection:
            with self._problems():
                return await question(connection, agency, *arguments, **named)

    async def change(
        self, work: Callable[Concatenate[Desk, str, P], Awaitable[Answer]], *arguments: P.args, **named: P.kwargs
    ) -> Answer:
        """What `work` returns: one change of the sender's agency. Raises `Problem`, also 409."""
        caller = await self.sender()
        agency = caller.require_agency().code
        wait_s = self.changes.rate.wait_s(caller.quota_name, time.monotonic())
        if wait_s:
            raise Problem("too-many-requests", retry_after_s=wait_s)
        async with self.changes.connected() as connection:
            with self._problems():
                by = Actor(caller.account, caller.quota_name)
                return await work(Desk(connection, self.changes.parts.settings, by), agency, *arguments, **named)

    def page(self, rows: Sequence[Struct], limit: int, column: str) -> Response:
        """The first `limit` rows of a list in the order of a column, and the address of the next page, if any."""
        shown, headers = rows[:limit], dict[str, str]()
        if len(rows) > limit:
            after = cursor_of((getattr(shown[-1], column),))
            headers = ReadRequest(self.changes.parts, self.http).next_page(after=after)
        return Response(to_json([own(row) for row in shown]), 200, headers, JSON)

    async def sender(self) -> Caller:
        """The caller, who may manage teams of an agency. Raises `Problem` (401, 403, 429, 503)."""
        caller = await self.changes.parts.caller(self.http)
        caller.require("teams:manage")
        caller.require_agency()
        return caller

    @contextmanager
    def _problems(self) -> Iterator[None]:
        """Why it was not changed, as problems in the language of the request."""
        language = language_of(self.http.headers.get("accept-language"))
        try:
            yield
        except (NotFound, NoTeam):
            raise Problem("not-found") from None
        except InvalidKey as error:
            log.error("what teams manage cannot be sealed", exc_info=error)
            raise Problem("overloaded", retry_after_s=5) from None
        except NoSealingKey:
            raise Problem("overloaded", retry_after_s=5) from None
        except NotAllowedNow as error:
            row = {"code": error.code, "detail": getattr(error.detail, language)}
            raise Problem("not-allowed-now", errors=[row]) from None
        except InvalidInput as error:
            rows = [
                {"code": fault.code, "pointer": fault.pointer, "detail": getattr(fault.detail, language)}
                for fault in error.faults
            ]
            raise Problem("invalid-body", errors=rows) from None


def answer(document: Any, status: int = 200) -> Response:
    return Response(to_json(document), status, media_type=JSON)


def own(document: Document) -> Document:
    """A document whose JSON is without the agency, which is the caller's own."""
    return replace(document, agency=UNSET)


async def _team_request(request: Request) -> TeamRequest:
    return TeamRequest(request.state.team_changes, request)


Asked = Annotated[TeamRequest, Depends(_team_request)]
"""A route's parameter."""
