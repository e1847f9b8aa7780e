"""What the console's pages work with; `process` builds it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime

import structlog

from consumers.console.accounts.oidc import Oidc
from consumers.console.accounts.passwords import PasswordChecks
from consumers.console.accounts.sessions import Sessions
from consumers.console.data.gateway import Gateway, Receipts
from consumers.console.data.live import Live
from consumers.console.data.read_api import ReadApi, caller_of
from consumers.console.sending.uploads import Uploads
from consumers.console.web.rendered import Rendered
from consumers.console.web.security import Cookies
from consumers.console.web.templates import Templates
from consumers.replay.as_of.names import Directory
from infra.http.routes import RouteParts
from infra.keys.seals import Seals
from infra.postgres.connection import TRANSIENT_ERRORS, Connection, Pool
from infra.postgres.trail import Actor, add_to_trail
from infra.settings import Settings

_logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ConsoleParts:
    """`reads` are connections of the reader, `own` of the console: accounts, sessions, the trail."""

    settings: Settings
    clock: Callable[[], datetime]
    reads: Pool
    own: Pool
    read_api: ReadApi
    gateway: Gateway
    live: Live
    directory: Directory
    seals: Seals
    sessions: Sessions
    passwords: PasswordChecks
    templates: Templates
    rendered: Rendered
    receipts: Receipts
    uploads: Uploads
    oidc: Oidc | None

    @property
    def cookies(self) -> Cookies:
        return Cookies.of(self.settings)

    @property
    def has_passwords(self) -> bool:
        """Whether people sign in with a password."""
        return self.settings.console_passwords == "on"

    def connection(self) -> AbstractAsyncContextManager[Connection]:
        """A connection of the reader. Raises `Problem` (503) if all are in use."""
        return RouteParts(self.settings, self.reads, caller_of).connection()

    async def add_to_trail(self, account: str | None, *words: str, event_ids: Sequence[str] | None = None) -> None:
        """Record what an account did: the verified one of a session, or the one that a sign-in named. No text that
        somebody typed."""
        await add_to_trail(self.own, *words, by=Actor(account), event_ids=event_ids)

    async def add_done_to_trail(self, account: str | None, *words: str, event_ids: Sequence[str] | None = None) -> None:
        """The same of what is done and stays done: while the database is away it is logged, without the account, for no
        page may say then that nothing happened."""
        try:
            await self.add_to_trail(account, *words, event_ids=event_ids)
        except TRANSIENT_ERRORS as error:
            _logger.error("the trail lacks what was done", did=words, events=event_ids, reason=repr(error))
