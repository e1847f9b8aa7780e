"""TLS of a server, whose certificate is loaded again when its files change. Open connections keep the one they have.

Files that cannot be used leave the loaded certificate in place, and are logged once.
"""

from __future__ import annotations

import asyncio
import ssl
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, TypeAlias

import structlog

from infra.clock import Clock
from infra.tls.certificate_files import CertificateUnusable, KeyPair, check, load_authorities

LOOK_EVERY_S: Final = 2.0
EXPIRES_SOON: Final = timedelta(days=14)
_State: TypeAlias = tuple[tuple[int, int, int] | None, ...]

_logger = structlog.get_logger(__name__)


class ServedCertificate:
    """The certificate of a server. With `client_ca`, clients may show one of these authorities' certificates.

    `clock` gives the time in UTC. Raises `CertificateUnusable`.
    """

    def __init__(self, pair: KeyPair, client_ca: Path | None, clock: Clock) -> None:
        self._pair = pair
        self._client_ca = client_ca
        self._clock = clock
        self._loaded = self._seen = self._state()
        self._warned = False
        self.context, self.expires = self._load()
        """What a server is given. Each handshake takes the certificate that is loaded then."""
        self._current = self.context
        self.context.sni_callback = self._choose

    async def follow(self) -> None:
        """Look for changed files. Never returns."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            self.look()

    def look(self) -> None:
        """Load files that changed, once they are the same at two looks: certificate and key are written one by one."""
        state = self._state()
        settled, self._seen = state == self._seen, state
        if settled and state != self._loaded:
            self._loaded = state
            self._reload()
        if not self._warned and self.expires - self._clock() < EXPIRES_SOON:
            self._warned = True
            _logger.warning(
                "the certificate expires soon: renew it", file=str(self._pair.certificate), at=str(self.expires)
            )

    def _reload(self) -> None:
        try:
            self._current, self.expires = self._load()
        except CertificateUnusable as error:
            _logger.error("a changed certificate was not loaded: the earlier one stays", error=str(error))
        else:
            self._warned = False
            _logger.info("a new certificate was loaded", expires=str(self.expires))

    def _load(self) -> tuple[ssl.SSLContext, datetime]:
        expires = check(self._pair, self._clock())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        self._pair.load_into(context)
        if self._client_ca is not None:
            context.verify_mode = ssl.CERT_OPTIONAL
            load_authorities(context, self._client_ca)
        return context, expires

    def _choose(self, connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, context: ssl.SSLContext) -> None:
        connection.context = self._current

    def _state(self) -> _State:
        files = (self._pair.certificate, self._pair.key, *(() if self._client_ca is None else (self._client_ca,)))
        return tuple(map(_stamp, files))


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """What differs when a file was written or replaced; a symbolic link is followed."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
