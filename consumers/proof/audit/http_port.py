"""The log of a server that an auditor does not trust: C2SP tlog-tiles over HTTP.

Whatever the server sends is bounded in size and time, and is believed only once its hashes lead to a signed checkpoint.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import httpx

from consumers.proof.audit.port import CorruptBatch, TilesPort
from events.errors import Retry, YesserError
from infra.backoff import backoff_s
from infra.http.answers import BYTES_MAX, AnswerRefused, bound_answers
from infra.log.signed_note import Verifier
from infra.settings import Settings
from infra.tls.certificate_files import TlsFiles
from infra.tls.client import client_context
from infra.tls.plaintext import require_loopback

CONNECTIONS_MAX: Final = 8
TRIES_MAX: Final = 5
ANSWER_MAX_S: Final = 30.0
"""Longest time for one file."""
RETRY_AFTER_MAX_S: Final = 10
_TIMEOUT: Final = httpx.Timeout(10.0)
_WAIT_MIN_S: Final = 0.2
_WAIT_MAX_S: Final = 5.0
_BUSY: Final = frozenset({408, 425, 429})
"""With every status from 500 on, also those of proxies (520 to 530): the server did not answer."""


class LogAway(Retry):
    """The log's server did not answer: check the address and the network, then run the command again."""


class TokenRefused(YesserError):
    """The server gives entries to the holder of a token with the scope log:read only."""


class HttpPort(TilesPort):
    """The log under an address such as `https://gateway.example/log/0/`."""

    def __init__(self, client: httpx.AsyncClient, verifier: Verifier) -> None:
        super().__init__(verifier)
        self._client = client
        bound_answers(client, 0)  # each file has a bound of its own
        self._at_once = asyncio.Semaphore(CONNECTIONS_MAX)

    def _place(self, path: str) -> str:
        return f"{self._client.base_url}{path}"

    async def _file(self, path: str, bytes_max: int) -> bytes | None:
        """Raises `LogAway` after some tries, `TokenRefused`, and `CorruptBatch` for what no log sends."""
        reason = ""
        for attempt in range(TRIES_MAX):
            spread = random.random()  # noqa: S311 - spreads waits, no secret
            wait_s = backoff_s(attempt, spread, _WAIT_MIN_S, _WAIT_MAX_S) if attempt else 0.0
            await asyncio.sleep(wait_s)
            try:
                bound = {BYTES_MAX: bytes_max}
                async with (
                    self._at_once,
                    asyncio.timeout(ANSWER_MAX_S),
                    self._client.stream("GET", path, extensions=bound) as answer,
                ):
                    if answer.status_code == 200:
                        return await answer.aread()
                    if answer.status_code == 404:
                        return None
                    if answer.status_code in (401, 403):
                        raise TokenRefused(f"{self._place(path)}: {answer.status_code}. {TokenRefused.__doc__}")
                    if answer.status_code < 500 and answer.status_code not in _BUSY:
                        raise CorruptBatch(f"{self._place(path)} answered {answer.status_code}: this is not a log")
                    reason = f"it answered {answer.status_code}"
                    await asyncio.sleep(_retry_after_s(answer))
            except (httpx.TransportError, TimeoutError) as error:
                reason = str(error) or type(error).__name__
            except AnswerRefused as error:
                raise CorruptBatch(f"{self._place(path)}: {error}") from None
        raise LogAway(f"{self._place(path)}: {reason}. {LogAway.__doc__}")


@asynccontextmanager
async def http_port(address: str, verifier: Verifier, token: str | None = None) -> AsyncIterator[HttpPort]:
    """The log at an address. Redirects are not followed: a token goes to this address only.

    Raises `PlaintextRefused` if the token would leave this machine without encryption. Without one plain HTTP is taken:
    what is read is proven by its signature.
    """
    url = httpx.URL(address)
    if token is not None and url.scheme != "https":
        require_loopback("The token", [url.host], "use the log's https:// address")
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    limits = httpx.Limits(max_connections=CONNECTIONS_MAX, max_keepalive_connections=CONNECTIONS_MAX)
    base = address.rstrip("/") + "/"
    verify = client_context(TlsFiles.of(Settings())) if url.scheme == "https" else False
    # A proxy on the way could read the token of a plain request.
    trusts_env = token is None or url.scheme == "https"
    async with httpx.AsyncClient(
        base_url=base, headers=headers, timeout=_TIMEOUT, limits=limits, verify=verify, trust_env=trusts_env
    ) as client:
        yield HttpPort(client, verifier)


def _retry_after_s(answer: httpx.Response) -> int:
    retry_after = answer.headers.get("retry-after", "")
    return min(int(retry_after), RETRY_AFTER_MAX_S) if retry_after.isascii() and retry_after.isdecimal() else 0
