"""`yesser run console`: the composition root. Builds the parts and serves until it is stopped."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import structlog

from consumers.console.accounts.oidc import Oidc
from consumers.console.accounts.passwords import PasswordChecks
from consumers.console.accounts.sessions import Sessions
from consumers.console.app import application
from consumers.console.data.gateway import KEPT_MAX, Gateway, Receipts
from consumers.console.data.live import Live
from consumers.console.data.read_api import ReadApi, caller_of
from consumers.console.page_request import ConsoleParts
from consumers.console.sending.uploads import Uploads
from consumers.console.web.assets import by_address
from consumers.console.web.rendered import Rendered
from consumers.console.web.security import require_tls_before
from consumers.console.web.templates import Templates
from consumers.explain.ledger.over_http.routes import router as ledger_routes
from consumers.explain.over_http.routes import router as explain
from consumers.proof.commitments.routes import router as commitments
from consumers.proof.completeness.routes import router as completeness
from consumers.replay.as_of.names import Directory
from events.errors import YesserError
from infra.clock import Clock, utc_now
from infra.http.routes import RouteParts
from infra.keys.seals import Seals
from infra.observability.telemetry import gauge
from infra.postgres.connection import TRANSIENT_ERRORS, Pool, create_pool
from infra.postgres.trail import acts_of_one_person
from infra.process.health import Readiness
from infra.process.http_server import Server, listening, running
from infra.settings import Settings
from infra.tls.plaintext import refuse_plain_http, refuse_plaintext

READ_POOL_SIZE: Final = 8
"""More than one account's requests at once, of which each holds one connection."""
OWN_POOL_SIZE: Final = 3
STOP_WAIT_S: Final = 2
COUNT_EVERY_S: Final = 60.0
_logger = structlog.get_logger(__name__)
FURTHER: Final = (commitments, completeness, explain, ledger_routes)
"""Routes of the read API that other packages add."""


class NoSignIn(YesserError):
    """YESSER_CONSOLE_PASSWORDS is off, and there is no identity provider, so nobody could sign in: set
    YESSER_CONSOLE_OIDC_ISSUER."""


def require_sign_in(settings: Settings) -> None:
    """Raises `NoSignIn`."""
    if settings.console_passwords == "off" and settings.console_oidc_issuer is None:
        raise NoSignIn(NoSignIn.__doc__)


class Console:
    """The console as a process. `port` is set once it runs."""

    def __init__(self, settings: Settings, clock: Clock = utc_now) -> None:
        self._settings = settings.acting_as("console")
        self._clock = clock
        self._server: Server | None = None
        self.port: int | None = None

    def readiness(self) -> Readiness:
        """Ready while it serves. What is away meanwhile, its pages say."""
        serving = self._server is not None and self._server.started
        return Readiness(serving, {"serving": serving, "port": self.port})

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop` is set. Raises `PlaintextRefused`, `NoSignIn`, `CannotListen`."""
        settings = self._settings
        require_tls_before(settings)
        require_sign_in(settings)
        refuse_plaintext(
            settings, "console", "The console's plain HTTP", [settings.console_host], "put a TLS proxy before it"
        )
        if settings.console_gateway is not None:
            refuse_plain_http(settings, "gateway", "YESSER_CONSOLE_GATEWAY", settings.console_gateway)
        await asyncio.to_thread(by_address)  # cuts the fonts
        with listening(settings.console_host, settings.console_port, "YESSER_CONSOLE_PORT (0: any)") as listener:
            self.port = listener.getsockname()[1]
            async with running_parts(settings, self._clock) as parts:
                await self._serve(parts, listener, stop)

    async def _serve(self, parts: ConsoleParts, listener: socket.socket, stop: asyncio.Event) -> None:
        settings = self._settings
        watching = asyncio.create_task(parts.live.run(), name="news of the log")
        naming = asyncio.create_task(parts.directory.run(), name="names of agencies and services")
        counting = asyncio.create_task(count_alone(parts.reads), name="acts of one person")
        proxies = settings.console_trusted_proxies
        options = {"server_header": False, "proxy_headers": bool(proxies), "forwarded_allow_ips": proxies}
        try:
            app = application(parts)
            async with running(app, listener, stop_wait_s=STOP_WAIT_S, **options) as self._server:
                await self._server.until(stop)
        finally:
            watching.cancel()
            naming.cancel()
            counting.cancel()


async def count_alone(reads: Pool, every_s: float = COUNT_EVERY_S) -> None:
    """Keep the metric of what one person did that needs two, and warn of each. Ends with its task."""
    position = 0
    while True:
        with suppress(*TRANSIENT_ERRORS):  # it is counted when the database answers again
            rows = await acts_of_one_person(reads)
            gauge("break_glass", len(rows))
            for row in rows:
                if row.position > position:
                    position = row.position
                    _logger.warning("an act needs two people, and one did it: yesser trail", position=position)
        await asyncio.sleep(every_s)


@asynccontextmanager
async def running_parts(settings: Settings, clock: Clock) -> AsyncIterator[ConsoleParts]:
    """What the pages work with, while the block runs. `settings` act as the console."""
    impatient = settings.model_copy(update={"statement_timeout_ms": settings.gateway_read_timeout_ms})
    seals = Seals.of(settings)
    reads = await create_pool(impatient.acting_as("reader"), "console reads", size=READ_POOL_SIZE)
    own = await create_pool(settings, "console", size=OWN_POOL_SIZE)
    gateway, oidc = Gateway(settings, clock), Oidc.of(settings, clock)
    uploads, live, directory = Uploads(gateway), Live(reads), Directory(reads)
    try:
        yield ConsoleParts(
            settings=settings,
            clock=clock,
            reads=reads,
            own=own,
            read_api=ReadApi(RouteParts(settings, reads, caller_of), *FURTHER),
            gateway=gateway,
            live=live,
            directory=directory,
            seals=seals,
            sessions=Sessions(own, settings, seals, clock),
            passwords=PasswordChecks(),
            oidc=oidc,
            templates=Templates(directory.names),
            rendered=Rendered(live.positions, clock),
            receipts=Receipts(KEPT_MAX),
            uploads=uploads,
        )
    finally:
        await uploads.close()
        await gateway.close()
        if oidc is not None:
            await oidc.close()
        reads.terminate()
        own.terminate()
