"""`yesser run gateway`: the composition root. Builds the parts and serves until it is stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from infra.postgres.connection import TRANSIENT_ERRORS, Pool, create_pool
from infra.process.commands import Process
from infra.process.health import Readiness
from infra.process.http_server import Server, listening, running
from infra.settings import Settings
from producers.gateway.access.callers import Access
from producers.gateway.acknowledgements import ReceiptSigner, load_or_create_key
from producers.gateway.app import served
from producers.gateway.http.protocol import BoundedProtocol
from producers.gateway.receiving import Receiver
from producers.gateway.routes.parts import Parts
from producers.gateway.writer import KafkaWriter

POOL_SIZE: Final = 4
READ_POOL_SIZE: Final = 4
CONNECTIONS_MAX: Final = 2_000
KEEP_ALIVE_S: Final = 60
STOP_WAIT_S: Final = 8
LAST_USED_EVERY_S: Final = 5.0


def gateway(settings: Settings) -> Process:
    """The factory of the process (entry point `yesser.processes`)."""
    work = Gateway(settings, lambda: datetime.now(UTC))
    return work.run, work.readiness


class Gateway:
    """The gateway as a process. `port` is set once it runs."""

    def __init__(self, settings: Settings, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._clock = clock
        self._writer = KafkaWriter(settings)
        self._server: Server | None = None
        self.port: int | None = None

    def readiness(self) -> Readiness:
        """Ready while it serves and Kafka accepts events. If Kafka is down, a restart would not help."""
        serving = self._server is not None and self._server.started
        details: dict[str, object] = {"serving": serving, "kafka": self._writer.connected, "port": self.port}
        return Readiness(serving and self._writer.connected, details)

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop` is set; then complete the open requests."""
        settings = self._settings
        signer = ReceiptSigner(load_or_create_key(settings.home / "gateway", settings.gateway_name))
        with listening(settings.gateway_host, settings.gateway_port, "YESSER_GATEWAY_PORT (0: any)") as listener:
            self.port = listener.getsockname()[1]
            pool = await create_pool(settings, "gateway", size=POOL_SIZE)
            reads = await reading_pool(settings)
            access = Access(settings, pool)
            receiver = Receiver(settings, self._writer, signer, self._clock)
            self._writer.start()
            app = served(Parts(settings, access, receiver, signer, reads, stop))
            noting = asyncio.create_task(_note_use(access))
            try:
                async with running(app, listener, stop_wait_s=STOP_WAIT_S, **_server_options(settings)) as self._server:
                    stopped = asyncio.create_task(stop.wait())
                    await asyncio.wait([self._server.task, stopped], return_when=asyncio.FIRST_COMPLETED)
                    stopped.cancel()
            finally:
                noting.cancel()
                await self._writer.stop()
                with suppress(*TRANSIENT_ERRORS):
                    await access.write_last_used()
                pool.terminate()
                reads.terminate()


async def reading_pool(settings: Settings) -> Pool:
    """A small pool with a short statement timeout, so that reads never delay publishing."""
    impatient = settings.model_copy(update={"statement_timeout_ms": settings.gateway_read_timeout_ms})
    return await create_pool(impatient, "gateway reads", size=READ_POOL_SIZE)


def _protocol(settings: Settings) -> type[BoundedProtocol]:
    class Protocol(BoundedProtocol):
        head_timeout_s = settings.gateway_head_timeout_s

    return Protocol


def _server_options(settings: Settings) -> dict[str, object]:
    return {
        "http": _protocol(settings),
        "server_header": False,
        "proxy_headers": False,
        "limit_concurrency": CONNECTIONS_MAX,
        "timeout_keep_alive": KEEP_ALIVE_S,
    }


async def _note_use(access: Access) -> None:
    while True:
        await asyncio.sleep(LAST_USED_EVERY_S)
        with suppress(*TRANSIENT_ERRORS):
            await access.write_last_used()
