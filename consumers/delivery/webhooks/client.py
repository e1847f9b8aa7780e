"""One attempt: a signed POST to a checked address, and what came back.

The check is made where the socket is created, for the very address that it connects to: a second resolution cannot give
another one. Redirects are not followed, proxies of the environment not used, and of an answer only the status and the
first KiB are read.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property, partial
from typing import Any, Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from consumers.delivery.sending.route import Outcome
from consumers.delivery.webhooks.addresses import AddressRefused, destinations, require_public, require_url
from infra.settings import Settings

ANSWER_BYTES: Final = 1_024
RESOLVING_THREADS: Final = 64
"""Names that do not resolve keep a thread waiting each; the others need theirs."""
HEADER_BYTES_MAX: Final = 8_190
HEADERS_MAX: Final = 64
IDLE_S: Final = 30.0
"""A connection without a request is closed after this."""
ANSWER_TIMEOUT_S: Final = 2.0
"""Longest wait for the answer's first KiB, once its status is there."""
_NOT_FOUND: Final = "name-not-found"
"""For the metric alone: beside `address-refused` it would tell which names exist inside the network."""
USER_AGENT: Final = "yesser-webhooks/1"


class WebhookClient(AsyncExitStack):
    """Sends webhooks; an asynchronous context manager, made while the event loop runs."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings
        self._allowed = destinations(settings)
        self._threads = ThreadPoolExecutor(RESOLVING_THREADS, "webhook-resolver")
        self._public = self._session(is_named=False)
        self._named = self._session(is_named=True)
        # Each is closed also where closing the one before is cancelled.
        self.callback(self._threads.shutdown, wait=False, cancel_futures=True)
        self.push_async_callback(self._named.close)
        self.push_async_callback(self._public.close)

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Deliver once. Never raises for what the receiver or the network does: its class is the outcome's `error`."""
        began = time.monotonic()
        try:
            host = require_url(url, self._allowed)
            session = self._named if self._allowed.is_named(host) else self._public
            async with session.post(url, data=body, headers=headers, allow_redirects=False) as response:
                after_s = retry_after_s(response.headers.get("retry-after"), datetime.now(UTC))
                answer = await _first_bytes(response)
                return Outcome(response.status, None, _since_ms(began), answer, after_s)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            found = _error_class(error)
            shown = "address-refused" if found == _NOT_FOUND else found
            return Outcome(None, shown, _since_ms(began), cause=found)

    def _session(self, *, is_named: bool) -> aiohttp.ClientSession:
        settings = self._settings
        connector = aiohttp.TCPConnector(
            limit=0,  # the sender bounds the requests, in all and to one endpoint
            resolver=_Resolver(self._threads, is_named=is_named),
            use_dns_cache=False,
            socket_factory=None if is_named else _public_socket,
            keepalive_timeout=IDLE_S,
            ssl=self._context,
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=settings.webhook_timeout_s, connect=settings.webhook_connect_timeout_s),
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
            auto_decompress=False,
            trust_env=False,
            max_line_size=HEADER_BYTES_MAX,
            max_field_size=HEADER_BYTES_MAX,
            max_headers=HEADERS_MAX,
        )

    @cached_property
    def _context(self) -> ssl.SSLContext:
        """Receivers are on the internet: their certificates come from the system's authorities, or from those of this
        deployment."""
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self._settings.tls_ca is not None:
            context.load_verify_locations(self._settings.tls_ca)
        return context


class _Resolver(AbstractResolver):
    """The system's resolver, on threads of its own; it is asked for each new connection. Of a host that the deployment
    does not name, every address must be one on the internet."""

    def __init__(self, threads: ThreadPoolExecutor, *, is_named: bool) -> None:
        self._threads = threads
        self._is_named = is_named

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Raises `AddressRefused`."""
        loop = asyncio.get_running_loop()
        asked = partial(socket.getaddrinfo, host, port, family=family, type=socket.SOCK_STREAM)
        found = await loop.run_in_executor(self._threads, asked)
        for *_, address in found:
            if not self._is_named:
                require_public(str(address[0]))
        return [
            ResolveResult(
                hostname=host, host=str(address[0]), port=port, family=family, proto=proto, flags=socket.AI_NUMERICHOST
            )
            for family, _, proto, _, address in found
        ]

    async def close(self) -> None:
        """Nothing is held: the threads are the client's."""


def _public_socket(found: tuple[Any, ...]) -> socket.socket:
    """The socket for an address on the internet, also where the URL has it as a literal. Raises `AddressRefused`."""
    family, kind, protocol, _, address = found
    require_public(str(address[0]))
    return socket.socket(family, kind, protocol)


async def _first_bytes(response: aiohttp.ClientResponse) -> bytes:
    """The first KiB of an answer, as far as it comes in time. The rest is not read: the connection is closed."""
    found = b""
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            while len(found) < ANSWER_BYTES and (more := await response.content.read(ANSWER_BYTES - len(found))):
                found += more
            if not response.content.at_eof():
                response.close()
    except (aiohttp.ClientError, OSError, TimeoutError):
        response.close()
    return found


def _error_class(error: BaseException) -> str:
    """The class of an error; no text of the receiver's."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, AddressRefused):
            return "address-refused"
        cause = cause.__cause__ or (cause.os_error if isinstance(cause, aiohttp.ClientConnectorError) else None)
    match error:
        case aiohttp.ConnectionTimeoutError():
            return "connect-timeout"
        case TimeoutError():
            return "timeout"
        case aiohttp.ClientConnectorDNSError():
            return "name-not-found"
        case aiohttp.ClientSSLError() | ssl.SSLError():
            return "certificate"
        case aiohttp.ClientConnectorError():
            return "cannot-connect"
        case aiohttp.InvalidURL() | ValueError():
            return "bad-url"
        case aiohttp.ClientResponseError() | aiohttp.ClientPayloadError():
            return "bad-answer"
        case _:
            return "connection-lost"


def retry_after_s(text: str | None, now: datetime) -> float | None:
    """The seconds of a header `Retry-After`: a number, or a date. None where it is neither."""
    if text is None:
        return None
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        until = parsedate_to_datetime(text)
        until = until if until.tzinfo else until.replace(tzinfo=UTC)
        return max(0.0, (until - now).total_seconds())
    except Exception:  # the text is a stranger's, and what the parser raises for one is not defined
        return None


def _since_ms(began: float) -> int:
    return round(1_000 * (time.monotonic() - began))
