"""TLS of clients: a server's certificate must come from a trusted authority and name the host that was asked for.

The client libraries hide why a certificate was refused, or retry. So the handshake itself raises `NotTrusted`, and the
context keeps it for the library that still hides it (Kafka's).
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from events.errors import Halt
from infra.settings import Settings
from infra.tls.certificate_files import TlsFiles, check, load_authorities
from infra.tls.plaintext import refuse_plaintext

VERIFIED: Final = "verify-full"
"""The `sslmode` of PostgreSQL's clients that checks both authority and host name."""
_NOT_YET_VALID: Final = 9
_EXPIRED: Final = 10
_OTHER_NAME: Final = frozenset({62, 64})
"""OpenSSL's X509_V_ERR_… numbers."""


class NotTrusted(Halt, OSError):
    """The server's certificate is not trusted; the message gives the reason and the remedy."""


class _Verifying(ssl.SSLObject):
    """A connection whose failed verification is a `NotTrusted`."""

    def do_handshake(self) -> None:
        try:
            super().do_handshake()
        except ssl.SSLCertVerificationError as error:
            refusal = NotTrusted(_explanation(self.server_hostname or "the server", error))
            if isinstance(self.context, ClientContext):
                self.context.refusal = refusal
            raise refusal from error


class ClientContext(ssl.SSLContext):
    """A context that verifies, and keeps the last refusal."""

    sslobject_class = _Verifying
    refusal: NotTrusted | None = None


def client_context(files: TlsFiles) -> ClientContext:
    """Raises `CertificateUnusable`."""
    context = ClientContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies authority and host name
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if files.ca is None:
        context.load_default_certs()
    else:
        load_authorities(context, files.ca)
    if files.identity is not None:
        check(files.identity, datetime.now(UTC))
        files.identity.load_into(context)
    return context


def postgres_context(
    settings: Settings, address: str, environment: Mapping[str, str] = os.environ
) -> ClientContext | None:
    """The context for a `postgresql://` address with `sslmode=verify-full`; None where the driver follows the address.

    Raises `PlaintextRefused` for another mode, whose connection can be read or redirected, to another machine.
    """
    query = dict(parse_qsl(urlsplit(address).query))
    if (query.get("sslmode") or environment.get("PGSSLMODE")) != VERIFIED:
        remedy = f"add sslmode={VERIFIED} to the address"
        refuse_plaintext(
            settings, "postgres", "The connection to PostgreSQL", _hosts(address, query, environment), remedy
        )
        return None
    if {name for name in query if name.startswith("ssl")} - {"sslmode", "sslrootcert"}:
        return None  # a revocation list or a client certificate: the driver reads them
    root = query.get("sslrootcert") or environment.get("PGSSLROOTCERT")
    ca = settings.tls_ca if root is None else None if root == "system" else Path(root)
    return client_context(TlsFiles(ca))


def _hosts(address: str, query: Mapping[str, str], environment: Mapping[str, str]) -> list[str]:
    """Every host that the driver may connect to; a socket's folder is this machine."""
    named = urlsplit(address).netloc.rpartition("@")[2].split(",")
    hosts = [_without_port(host) for host in named if host] + query.get("host", "").split(",")
    if "service" in query:
        hosts.append(f"of service {query['service']}")
    known = [host for host in hosts if host] or environment.get("PGHOST", "").split(",")
    return [host for host in known if host and not host.startswith(("/", "%2F"))]


def _without_port(host: str) -> str:
    return host.partition("]")[0].removeprefix("[") if host.startswith("[") else host.partition(":")[0]


def _explanation(host: str, error: ssl.SSLCertVerificationError) -> str:
    match error.verify_code:
        case code if code == _EXPIRED:
            return f"The certificate of {host} has expired: renew it there."
        case code if code == _NOT_YET_VALID:
            return f"The certificate of {host} is not valid yet: compare the clocks of both machines."
        case code if code in _OTHER_NAME:
            return (
                f"The certificate of {host} is for another name: use an address that it names, or issue it for {host}."
            )
        case _:
            return (
                f"The certificate of {host} is not from a trusted authority ({error.verify_message}): set YESSER_TLS_CA"
                " to the file of its authority."
            )
