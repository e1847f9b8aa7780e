"""Other packages add routes to the gateway by the entry-point group `yesser.routes`; it does not import them.

Each entry is `name = module:factory`; the factory is called with `RouteParts` and returns a router.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import Any, Final, cast

from cachetools import LRUCache
from fastapi import APIRouter, FastAPI, Request, Response

from infra.http.callers import Caller
from infra.http.problems import RESTORED, Problem
from infra.postgres.connection import Connection, Pool, RestoredCopy
from infra.settings import Settings

KEY: Final = "/v1/key"
"""The key that signs receipts."""
KEYS: Final = "/v1/keys"
"""All keys that signed receipts."""

LOG_PREFIX: Final = "/log/0/"
"""The log's files (C2SP tlog-tiles)."""
_ENTRIES: Final = (f"{LOG_PREFIX}tile/entries/", f"{LOG_PREFIX}texts/")
"""The entries and their texts."""

GROUP: Final = "yesser.routes"
CONNECTION_WAIT_S: Final = 10.0
"""Longest wait for a free connection; after it the answer is 503 with `Retry-After`."""

RELEASE_WAIT_S: Final = 1.0


ANSWER_BYTES_MAX: Final = 8 << 20
"""Of all cached answers: tiles of about 260,000 entries, or of 67 million entries above the leaves."""


def answer_cache() -> LRUCache[str, Response]:
    """The search for a route costs more than such an answer."""
    return LRUCache(ANSWER_BYTES_MAX, getsizeof=lambda answer: len(answer.body))


@dataclass(frozen=True, slots=True)
class RouteParts:
    """The dependencies of routes that read. `reads` are separate connections, so that reads do not block other work."""

    settings: Settings
    reads: Pool
    caller: Callable[[Request], Awaitable[Caller]]
    """The caller of a request. Raises `Problem`: 401, 429, 503."""

    answers: LRUCache[str, Response] = field(default_factory=answer_cache)
    """Answers by path that are the same for every caller and never change: sent without the router."""

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection for reading, released at the end. Raises `Problem` (503) if all are in use."""
        try:
            held = await self.reads.acquire(timeout=CONNECTION_WAIT_S)
        except TimeoutError:
            raise Problem("overloaded", retry_after_s=1) from None
        try:
            # The pool's proxy has the interface of a connection.
            yield cast(Connection, held)
        finally:
            await self.reads.release(held, timeout=RELEASE_WAIT_S)


def bare_app(dependencies: Sequence[Any], handlers: Mapping[Any, Any]) -> FastAPI:
    """An application that answers nothing but its routes: these dependencies run before each, these handle errors."""
    return FastAPI(
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        dependencies=dependencies,
        exception_handlers=dict(handlers),
        # FastAPI's own would name addresses and errors; `infra.observability.telemetry` lists what ours says.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )


def database_away(error: Exception) -> Problem:
    """The answer (503) to a request that one of `TRANSIENT_ERRORS` ended."""
    return Problem("database-away", retry_after_s=1, detail=RESTORED if isinstance(error, RestoredCopy) else None)


def further_routers(parts: RouteParts) -> list[APIRouter]:
    """The routers of the entry points, sorted by name."""
    entries = sorted(entry_points(group=GROUP), key=lambda entry: entry.name)
    return [entry.load()(parts) for entry in entries]


def is_log_file(path: str) -> bool:
    """Whether a path is one of the log's public files: the checkpoint or a hash tile."""
    return path.startswith(LOG_PREFIX) and not path.startswith(_ENTRIES)


def needs_token(path: str) -> bool:
    """Whether a path is answered only to the holder of a token."""
    return path.startswith(("/v1/", *_ENTRIES)) and path not in (KEY, KEYS)
