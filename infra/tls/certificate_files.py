"""The files of a certificate and its private key, read and checked before they are used.

OpenSSL accepts an expired certificate and a key that others can read, and its errors name neither file nor remedy.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from events.errors import YesserError
from infra.settings import Settings


class CertificateUnusable(YesserError):
    """A certificate or its key cannot be used; the message names the file and the remedy."""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """PEM files: the certificate with its intermediate ones, and its private key (may be the same file)."""

    certificate: Path
    key: Path

    @classmethod
    def of(cls, certificate: Path | None, key: Path | None) -> KeyPair | None:
        return None if certificate is None else cls(certificate, key or certificate)

    def load_into(self, context: ssl.SSLContext) -> None:
        """Raises `CertificateUnusable` for files that OpenSSL does not take."""
        try:
            # Without a password function OpenSSL would ask at the terminal.
            context.load_cert_chain(self.certificate, self.key, password=lambda: "")
        except (OSError, ValueError) as error:  # an ssl.SSLError is an OSError
            raise CertificateUnusable(
                f"{self.certificate} cannot be loaded with the key {self.key}: {error}."
            ) from error


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Whom a client trusts, and its own certificate where a server asks for one."""

    ca: Path | None = None
    """The authorities' certificates (PEM); None: those of the system."""

    identity: KeyPair | None = None

    @classmethod
    def of(cls, settings: Settings) -> TlsFiles:
        return cls(settings.tls_ca, KeyPair.of(settings.tls_certificate, settings.tls_key))


def load_authorities(context: ssl.SSLContext, ca: Path) -> None:
    """Trust these authorities. Raises `CertificateUnusable`."""
    try:
        context.load_verify_locations(ca)
    except OSError as error:  # an ssl.SSLError is one
        raise CertificateUnusable(f"{ca} holds no certificates of authorities in PEM ({_reason(error)}).") from error


def check(pair: KeyPair, now: datetime) -> datetime:
    """When the certificate expires. Raises `CertificateUnusable` if it or its key must not be used now."""
    # Imported here: without TLS no process needs it.
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    require_private(pair.key)
    try:
        certificate = x509.load_pem_x509_certificates(_read(pair.certificate))[0]
    except ValueError as error:
        raise CertificateUnusable(
            f"{pair.certificate} holds no certificate in PEM: write the whole chain into it."
        ) from error
    try:
        key = serialization.load_pem_private_key(_read(pair.key), None)
    except TypeError as error:
        raise CertificateUnusable(f"{pair.key} is encrypted: store the key without a passphrase, mode 600.") from error
    except ValueError as error:
        raise CertificateUnusable(f"{pair.key} holds no private key in PEM.") from error
    if key.public_key() != certificate.public_key():
        raise CertificateUnusable(
            f"{pair.key} is not the key of {pair.certificate}: install the key that the certificate was issued for."
        )
    begins, expires = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now > expires:
        raise CertificateUnusable(f"{pair.certificate} expired on {expires:%Y-%m-%d %H:%M} UTC: renew it.")
    if now < begins:
        raise CertificateUnusable(
            f"{pair.certificate} is valid from {begins:%Y-%m-%d %H:%M} UTC on: check this machine's clock."
        )
    return expires


def require_private(key: Path) -> None:
    """Raises `CertificateUnusable` if other users may read or change the key."""
    try:
        mode = key.stat().st_mode & 0o777
    except OSError as error:
        raise CertificateUnusable(f"{key} cannot be read ({_reason(error)}).") from error
    if mode & 0o077:
        raise CertificateUnusable(
            f"Others may read the private key {key} (mode {mode:o}): run `chmod 600`, and issue a new certificate if "
            "someone may have copied the key."
        )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CertificateUnusable(f"{path} cannot be read ({_reason(error)}).") from error


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
