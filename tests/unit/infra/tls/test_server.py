"""A served certificate is checked before it is used, and loaded again without ending a connection."""

from __future__ import annotations

import asyncio
import shutil
import ssl
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import uvloop
from cryptography import x509
from structlog.testing import capture_logs

from infra.tls.certificate_files import CertificateUnusable, KeyPair, TlsFiles, check
from infra.tls.client import client_context
from infra.tls.server import ServedCertificate
from tests.every import every
from tests.unit.infra.tls.certificates import NOW, pair, private_authority, tls_server


def _serial(path: Path) -> int:
    return x509.load_pem_x509_certificate(path.read_bytes()).serial_number


def test_files_that_must_not_be_used_are_named_with_the_remedy(tmp_path: Path) -> None:
    own, old = private_authority(tmp_path / "own"), private_authority(tmp_path / "old", NOW - timedelta(days=400))
    good, other = own.server("good"), own.server("other")
    open_key, text, locked = tmp_path / "open.pem", tmp_path / "text.pem", tmp_path / "locked.pem"
    shutil.copy(good, open_key)
    open_key.chmod(0o640)
    text.write_text("no certificate")
    text.chmod(0o600)
    locked.write_text(good.read_text().replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"))
    locked.chmod(0o600)
    cases = [
        (pair(old.server("x")), "expired on .* renew it"),
        (KeyPair(good, other), "is not the key of .*: install the key"),
        (pair(open_key), r"mode 640\): run `chmod 600`"),
        (pair(text), "holds no certificate in PEM"),
        (KeyPair(good, text), "holds no private key in PEM"),
        (pair(tmp_path / "absent.pem"), "absent.pem cannot be read"),
        (KeyPair(good, tmp_path / "absent.pem"), "absent.pem cannot be read"),
        (KeyPair(good, locked), "without a passphrase|holds no private key"),
    ]
    for files, message in cases:
        with pytest.raises(CertificateUnusable, match=message):
            ServedCertificate(files, None, lambda: NOW)
    with pytest.raises(CertificateUnusable, match="check this machine's clock"):
        check(pair(good), NOW - timedelta(days=1))
    assert check(pair(good), NOW) - NOW > timedelta(days=364)


@every("run", [asyncio.run, uvloop.run])
def test_a_changed_certificate_serves_new_connections_and_ends_none(tmp_path: Path, run: Any) -> None:
    own = private_authority(tmp_path / "tls")
    path = own.server("gateway")
    first = _serial(path)
    served = ServedCertificate(pair(path), None, lambda: NOW)

    ca = tmp_path / "tls/ca.pem"

    async def connected(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", port, ssl=client_context(TlsFiles(ca)))

    async def shown(port: int) -> int:
        _, writer = await connected(port)
        der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.close()
        return x509.load_der_x509_certificate(der).serial_number

    async def story() -> None:
        async with tls_server(served.context) as port:
            reader, writer = await connected(port)
            assert await shown(port) == first
            path.unlink()
            second = _serial(own.server("gateway"))
            served.look()  # changed: it may be half written
            assert await shown(port) == first
            served.look()
            assert await shown(port) == second
            path.write_text("half a certific")
            with capture_logs() as logs:
                for _ in range(4):
                    served.look()
            assert [line["log_level"] for line in logs] == ["error"], "once"
            assert await shown(port) == second
            writer.write(b"still here")
            assert await reader.read(10) == b"still here"
            writer.close()

    run(story())


def test_a_certificate_that_expires_soon_is_logged_once(tmp_path: Path) -> None:
    path = private_authority(tmp_path / "tls").server("gateway")
    now = NOW
    served = ServedCertificate(pair(path), None, lambda: now)
    with capture_logs() as logs:
        served.look()
        now = NOW + timedelta(days=352)
        served.look()
        served.look()
    assert [line["log_level"] for line in logs] == ["warning"]


def test_a_certificate_of_another_authority_is_no_clients_certificate(tmp_path: Path) -> None:
    own, other = private_authority(tmp_path / "own"), private_authority(tmp_path / "other")
    ca = tmp_path / "own/ca.pem"
    served = ServedCertificate(pair(own.server("gateway")), ca, lambda: NOW)
    own.client("agency-health", tmp_path / "own.pem")
    other.client("agency-health", tmp_path / "other.pem")

    async def answer(identity: Path | None) -> bytes:
        context = client_context(TlsFiles(ca, None if identity is None else pair(identity)))
        async with tls_server(served.context) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
            writer.write(b"yes")
            try:
                return await reader.read(3)
            finally:
                writer.close()

    assert asyncio.run(answer(tmp_path / "own.pem")) == b"yes"
    assert asyncio.run(answer(None)) == b"yes", "pages need none"
    for foreign in (tmp_path / "other.pem", own.server("kafka")):
        with suppress(ssl.SSLError, ConnectionError):  # or the connection just ends
            assert asyncio.run(answer(foreign)) == b""
