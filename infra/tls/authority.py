"""A private authority for trying TLS on one machine (`yesser up --tls`): its own certificate, those of servers, and
those of clients.

In production certificates come from the organisation's authority. This one is renewed at a start when less than a third
of its life is left; clients then need the new `ca.pem`.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from infra.secret_files import write_private
from infra.tls.certificate_files import CertificateUnusable, require_private

AUTHORITY_LIFE: Final = timedelta(days=3_650)
LIFE: Final = timedelta(days=365)
BACKDATED: Final = timedelta(minutes=5)
"""A client whose clock is a little behind accepts a new certificate."""
NAME: Final = "Yesser Events private authority"
SERVERS: Final = ("gateway", "kafka")
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Authority:
    """The authority of a folder. `now` is in UTC."""

    folder: Path
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    now: datetime

    def server(self, name: str) -> Path:
        """The PEM file of a server on this machine (key and certificate), renewed if need be."""
        path = self.folder / f"{name}.pem"
        hosts = [*_LOOPBACK, *filter(str.isascii, [socket.gethostname()])]
        if not self._is_current(path, hosts):
            names = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
            write_private(path, self._issue(name, ExtendedKeyUsageOID.SERVER_AUTH, names))
        return path

    def client(self, name: str, path: Path) -> x509.Certificate:
        """Write the PEM file of a client (key and certificate); the name is its Kafka user."""
        text = self._issue(name, ExtendedKeyUsageOID.CLIENT_AUTH, None)
        write_private(path, text)
        return x509.load_pem_x509_certificate(text.encode())

    def _issue(self, name: str, usage: x509.ObjectIdentifier, names: x509.SubjectAlternativeName | None) -> str:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            _builder(name, self.certificate.subject, key, self.now, LIFE)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(_issuer_key(self.key), critical=False)
        )
        if names is not None:
            builder = builder.add_extension(names, critical=False)
        return _key_text(key) + _certificate_text(builder.sign(self.key, hashes.SHA256()))

    def _is_current(self, path: Path, hosts: Sequence[str]) -> bool:
        """Whether the file has a certificate of this authority for these hosts that lasts."""
        try:
            certificate = x509.load_pem_x509_certificate(path.read_bytes())
            certificate.verify_directly_issued_by(self.certificate)
            names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except Exception:  # absent, damaged, or of another authority: a new one is made
            return False
        return list(names) == [_general_name(host) for host in hosts] and _lasts(certificate, self.now)


def authority(folder: Path, now: datetime) -> Authority:
    """The authority of this folder, created or renewed if need be. Raises `CertificateUnusable`."""
    certificate_file, key_file = folder / "ca.pem", folder / "ca.key"
    if certificate_file.exists():
        stored = _stored(certificate_file, key_file, now)
        if _lasts(stored.certificate, now):
            return stored
    folder.mkdir(mode=0o700, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    certificate = (
        _builder(NAME, subject, key, now, AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    write_private(key_file, _key_text(key))
    write_private(certificate_file, _certificate_text(certificate))
    return Authority(folder, certificate, key, now)


def stored_authority(folder: Path, now: datetime) -> Authority:
    """The authority of this folder. Raises `CertificateUnusable` if there is none."""
    if not (folder / "ca.pem").exists():
        raise CertificateUnusable(f"{folder} has no private authority: start the stack with `yesser up --tls` first.")
    return _stored(folder / "ca.pem", folder / "ca.key", now)


def _stored(certificate_file: Path, key_file: Path, now: datetime) -> Authority:
    if not key_file.exists():
        raise CertificateUnusable(
            f"{key_file} is gone: restore it, or remove {key_file.parent} for a new authority, whose ca.pem every"
            " client then needs."
        )
    require_private(key_file)
    try:
        certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
        key = serialization.load_pem_private_key(key_file.read_bytes(), None)
    except (ValueError, TypeError) as error:
        raise CertificateUnusable(f"{certificate_file} or {key_file} is damaged: restore both files.") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise CertificateUnusable(f"{key_file} is not the key of {certificate_file}: restore both files.")
    return Authority(certificate_file.parent, certificate, key, now)


def _lasts(certificate: x509.Certificate, now: datetime) -> bool:
    """Whether more than a third of its life is left."""
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    return certificate.not_valid_after_utc - now > life / 3


def _builder(
    name: str, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _issuer_key(key: ec.EllipticCurvePrivateKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _key_text(key: ec.EllipticCurvePrivateKey) -> str:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption()).decode()


def _certificate_text(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
