"""A client trusts a server by authority, name and time, and says which of them failed and what to do."""

from __future__ import annotations

import asyncio
import ssl
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import uvloop

from infra.settings import Settings
from infra.tls.certificate_files import CertificateUnusable, TlsFiles
from infra.tls.client import NotTrusted, client_context, postgres_context
from infra.tls.plaintext import PlaintextRefused
from tests.every import every
from tests.unit.infra.tls.certificates import NOW, pair, private_authority, server_context, server_for, tls_server


async def _connect(server: Path, context: ssl.SSLContext, host: str = "127.0.0.1") -> bytes:
    async with tls_server(server_context(server)) as port:
        reader, writer = await asyncio.open_connection(host, port, ssl=context)
        writer.write(b"yes")
        answer = await reader.read(3)
        writer.close()
        return answer


@every("run", [asyncio.run, uvloop.run])
def test_a_server_of_the_authority_is_trusted_by_its_names(tmp_path: Path, run: Any) -> None:
    own = private_authority(tmp_path / "tls")
    for host in ("127.0.0.1", "localhost"):
        assert run(_connect(own.server("gateway"), client_context(TlsFiles(tmp_path / "tls/ca.pem")), host)) == b"yes"


@every("run", [asyncio.run, uvloop.run])
def test_why_a_certificate_is_refused_is_said_with_what_to_do(tmp_path: Path, run: Any) -> None:
    own, other = private_authority(tmp_path / "own"), private_authority(tmp_path / "other")
    old = private_authority(tmp_path / "old", NOW - timedelta(days=400))
    early = private_authority(tmp_path / "early", NOW + timedelta(days=1))
    cases = [
        (other.server("x"), "own", "is not from a trusted authority", "YESSER_TLS_CA"),
        (server_for(own, "10.0.0.1"), "own", "is for another name", "use an address that it names"),
        (old.server("x"), "old", "has expired", "renew it"),
        (early.server("x"), "early", "is not valid yet", "compare the clocks"),
    ]
    for server, ca, reason, remedy in cases:
        context = client_context(TlsFiles(tmp_path / ca / "ca.pem"))
        assert context.refusal is None
        with pytest.raises(NotTrusted, match=reason) as caught:
            run(_connect(server, context))
        assert isinstance(caught.value, OSError), "client libraries take it for a failed connection"
        assert remedy in str(caught.value)
        assert "127.0.0.1" in str(caught.value)
        assert reason in str(context.refusal), "the context keeps why the last server was refused"


def test_a_file_without_authorities_or_that_is_not_there_is_named_and_a_clients_own_is_checked(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").touch()
    for name in ("empty.pem", "absent.pem"):
        with pytest.raises(CertificateUnusable, match=name):
            client_context(TlsFiles(tmp_path / name))
    own = tmp_path / "health.pem"
    private_authority(tmp_path / "tls").client("agency-health", own)
    client_context(TlsFiles(None, pair(own)))
    own.chmod(0o640)
    with pytest.raises(CertificateUnusable, match="chmod 600"):
        client_context(TlsFiles(None, pair(own)))


@every(
    ("address", "environment"),
    [
        ("postgresql://u:p@db.example/d", {}),
        ("postgresql://u:p@db.example/d?sslmode=require", {}),
        ("postgresql://u:p@db.example/d?sslmode=verify-ca", {}),
        ("postgresql://u:p@127.0.0.1,db.example:5433/d", {}),
        ("postgresql://u:p@[2001:db8::1]:5432/d", {}),
        ("postgresql:///d?host=db.example", {}),
        ("postgresql:///d?service=s", {}),
        ("postgresql:///d", {"PGHOST": "db.example"}),
    ],
)
def test_postgres_on_another_machine_needs_a_verified_connection(address: str, environment: dict[str, str]) -> None:
    with pytest.raises(PlaintextRefused, match="sslmode=verify-full"):
        postgres_context(Settings(), address, environment)
    assert postgres_context(Settings(dangerously_allow_plaintext="postgres"), address, environment) is None


def test_postgres_on_this_machine_is_reached_as_its_address_says() -> None:
    loopback = ("u:p@127.0.0.1:5432/d", "u:p@localhost/d", "u:p@[::1]:5432/d")
    for place in (*loopback, "/d?host=/run/postgresql", "u@%2Frun%2Fpostgresql/d", "/d"):
        assert postgres_context(Settings(), f"postgresql://{place}", {}) is None, place


def test_verify_full_takes_the_authority_of_the_address_then_of_the_settings(tmp_path: Path) -> None:
    private_authority(tmp_path / "tls")
    ca = tmp_path / "tls/ca.pem"
    address = "postgresql://u:p@db.example/d?sslmode=verify-full"
    for settings, given in ((Settings(), f"{address}&sslrootcert={ca}"), (Settings(tls_ca=ca), address)):
        context = postgres_context(settings, given, {})
        assert context is not None
        assert context.check_hostname
        assert len(context.get_ca_certs()) == 1
    assert postgres_context(Settings(), f"{address}&sslcrl=list.pem", {}) is None, "left to the driver"
