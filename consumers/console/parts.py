"""What the console's pages work with; `process` builds it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime

from consumers.console.accounts.oidc import Oidc
from consumers.console.accounts.passwords import PasswordChecks
from consumers.console.accounts.sessions import Sessions
from consumers.console.data.gateway import Gateway
from consumers.console.data.live import Live
from consumers.console.data.read_api import ReadApi, caller_of
from consumers.console.sending.receipts import Receipts
from consumers.console.sending.uploads import Uploads
from consumers.console.web.rendered import Rendered
from consumers.console.web.templates import Templates
from infra.http.routes import RouteParts
from infra.keys.seals import Seals
from infra.postgres.connection import Connection, Pool
from infra.settings import Settings


@dataclass(frozen=True, slots=True)
class Parts:
    """`reads` are connections of the reader, `own` of the console: accounts, sessions, the trail."""

    settings: Settings
    clock: Callable[[], datetime]
    reads: Pool
    own: Pool
    read_api: ReadApi
    gateway: Gateway
    live: Live
    seals: Seals
    sessions: Sessions
    passwords: PasswordChecks
    templates: Templates
    rendered: Rendered
    receipts: Receipts
    uploads: Uploads
    oidc: Oidc | None

    def connection(self) -> AbstractAsyncContextManager[Connection]:
        """A connection of the reader. Raises `Problem` (503) if all are in use."""
        return RouteParts(self.settings, self.reads, caller_of).connection()
