"""`yesser run gateway`: the composition root. Builds the parts and serves until it is stopped."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, suppress
from functools import partial
from resource import RLIM_INFINITY, RLIMIT_NOFILE, getrlimit, setrlimit
from typing import Final

import structlog
from starlette.types import ASGIApp

from infra.clock import Clock, utc_now
from infra.kafka.client_config import refuse_plain_kafka
from infra.log.signed_note import InvalidKey
from infra.postgres.connection import TRANSIENT_ERRORS, Pool, create_pool
from infra.private_keys.key_files import gateway_key_files, load_keys, load_or_create_keys
from infra.process.health import Readiness
from infra.process.http_server import Server, listening, running
from infra.settings import Settings
from infra.tls.certificate_files import CertificateUnusable, KeyPair
from infra.tls.plaintext import refuse_plaintext
from infra.tls.server import ServedCertificate
from producers.agencies.tokens import require_hash_key
from producers.gateway.access.callers import Access
from producers.gateway.app import served
from producers.gateway.http.handshake import accepting
from producers.gateway.http.protocol import CONNECTIONS_MAX, BoundedProtocol, ConnectionLimits
from producers.gateway.receiving import ReceiptSigner, Receiver
from producers.gateway.routes.parts import GatewayParts
from producers.gateway.writer import KafkaWriter

POOL_SIZE: Final = 4
READ_POOL_SIZE: Final = 4
OTHER_FILES_MAX: Final = 200
UNREAD_BYTES_MAX: Final = 256 * 1024
"""What the system buffers of an answer that is not read. Its default is several MiB for each connection."""
KEEP_ALIVE_S: Final = 60
STOP_WAIT_S: Final = 8
LAST_USED_EVERY_S: Final = 5.0
READ_KEYS_EVERY_S: Final = 5.0
"""A rotated key of receipts or tokens is noticed after this."""

log = structlog.get_logger()


class Gateway:
    """The gateway as a process. `port` is set once it runs."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock = utc_now,
        read_keys_every_s: float = READ_KEYS_EVERY_S,
    ) -> None:
        self._settings = settings = settings.acting_as("gateway")
        self._clock = clock
        self._read_keys_every_s = read_keys_every_s
        self._writer = KafkaWriter(settings)
        self._server: Server | None = None
        self._certificate: ServedCertificate | None = None
        self.port: int | None = None

    def readiness(self) -> Readiness:
        """Ready while it serves and Kafka accepts events. If Kafka is down, a restart would not help."""
        serving = self._server is not None and self._server.started
        details: dict[str, object] = {"serving": serving, "kafka": self._writer.connected, "port": self.port}
        if self._certificate is not None:
            details["certificate_expires"] = self._certificate.expires.isoformat()
        return Readiness(serving and self._writer.connected, details)

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop` is set; then complete the open requests.

        Raises `PlaintextRefused` and `CertificateUnusable`.
        """
        settings = self._settings
        refuse_plain_kafka(settings)
        self._certificate = _certificate(settings, self._clock)
        _allow_open_files()
        signer = ReceiptSigner(load_or_create_keys(gateway_key_files(settings)))
        address = (settings.gateway_host, settings.gateway_port, "YESSER_GATEWAY_PORT (0: any)")
        with listening(*address) as listener, ExitStack() as pools:
            self.port = listener.getsockname()[1]
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, UNREAD_BYTES_MAX)  # of each connection
            pool = await create_pool(settings, "gateway", size=POOL_SIZE)
            pools.callback(pool.terminate)
            reads = await reading_pool(settings)
            pools.callback(reads.terminate)
            await require_hash_key(pool, settings)
            access = Access(settings, pool)
            receiver = Receiver(settings, self._writer, signer, self._clock)
            self._writer.start()
            parts = GatewayParts(settings, access, receiver, signer, reads, stop)
            app = served(parts)
            noting = asyncio.create_task(_note_use(access))
            rereading = asyncio.create_task(_read_keys_again(settings, access, signer, self._read_keys_every_s))
            notified = asyncio.create_task(parts.verdicts.run(settings, "gateway notifications"))
            try:
                async with _serving(app, listener, settings, self._certificate) as self._server:
                    await self._server.until(stop)
                    parts.verdicts.wake_all()
            finally:
                noting.cancel()
                rereading.cancel()
                notified.cancel()
                await self._writer.stop()
                with suppress(*TRANSIENT_ERRORS):
                    await access.write_last_used()


async def reading_pool(settings: Settings) -> Pool:
    """A small pool with a short statement timeout, so that reads never delay publishing. It only reads."""
    impatient = settings.model_copy(update={"statement_timeout_ms": settings.gateway_read_timeout_ms})
    return await create_pool(impatient.acting_as("reader"), "gateway reads", size=READ_POOL_SIZE)


def _certificate(settings: Settings, clock: Clock) -> ServedCertificate | None:
    """The certificate of the settings; None for plain HTTP, which other machines may use only if that is allowed."""
    pair = KeyPair.of(settings.gateway_certificate, settings.gateway_key)
    if pair is not None:
        return ServedCertificate(pair, settings.gateway_client_ca, clock)
    if settings.gateway_client_ca is not None:
        raise CertificateUnusable(
            "YESSER_GATEWAY_CLIENT_CA needs a TLS gateway: set YESSER_GATEWAY_CERTIFICATE, or unset it."
        )
    refuse_plaintext(
        settings,
        "gateway",
        "The gateway's plain HTTP",
        [settings.gateway_host],
        "set YESSER_GATEWAY_CERTIFICATE and YESSER_GATEWAY_KEY",
    )
    return None


@asynccontextmanager
async def _serving(
    app: ASGIApp, listener: socket.socket, settings: Settings, certificate: ServedCertificate | None
) -> AsyncIterator[Server]:
    """Answer while the block runs, over TLS if there is a certificate."""
    limits, proxies = ConnectionLimits.of(settings), settings.gateway_trusted_proxies
    serving = running(
        app,
        listener if certificate is None else None,
        stop_wait_s=STOP_WAIT_S,
        http=partial(BoundedProtocol, limits),
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies,
        timeout_keep_alive=KEEP_ALIVE_S,
    )
    async with AsyncExitStack() as ending:
        server = await ending.enter_async_context(serving)
        if certificate is not None:
            ending.callback(asyncio.create_task(certificate.follow()).cancel)
            await ending.enter_async_context(accepting(listener, server, limits, certificate.context))
        yield server


def _allow_open_files() -> None:
    """Raise the limit of open files to what all connections need, as far as the system lets this process."""
    soft, hard = getrlimit(RLIMIT_NOFILE)
    needed = CONNECTIONS_MAX + OTHER_FILES_MAX
    if soft != RLIM_INFINITY and soft < needed:
        setrlimit(RLIMIT_NOFILE, (needed if hard == RLIM_INFINITY else min(needed, hard), hard))


async def _note_use(access: Access) -> None:
    while True:
        await asyncio.sleep(LAST_USED_EVERY_S)
        with suppress(*TRANSIENT_ERRORS):
            await access.write_last_used()


async def _read_keys_again(settings: Settings, access: Access, signer: ReceiptSigner, every_s: float) -> None:
    """Take up rotated keys. Those that were read before go on where a file is missing or damaged."""
    said: str | None = None
    while True:
        await asyncio.sleep(every_s)
        try:
            access.read_keys()
            signer.use(load_keys(gateway_key_files(settings)))
            said = None
        except (InvalidKey, OSError) as error:
            if said != str(error):
                log.error("the keys cannot be read again", reason=str(error))
            said = str(error)
