"""A client trusts a server by authority, name and time, and says which of them failed and what to do."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
import uvloop

from events.errors import Halt
from infra.process.reaction import Reaction, reaction_to
from infra.settings import Settings
from infra.tls.certificate_files import CertificateUnusable, TlsFiles
from infra.tls.client import NotTrusted, client_context, postgres_context
from infra.tls.plaintext import PlaintextRefused
from tests.every import every
from tests.unit.infra.tls.certificates import NOW, pair, private_authority, server_context, server_for, tls_server


async def _connect(server: Path, ca: Path, host: str = "127.0.0.1") -> bytes:
    context = client_context(TlsFiles(ca))
    async with tls_server(server_context(server)) as port:
        reader, writer = await asyncio.open_connection(host, port, ssl=context)
        writer.write(b"yes")
        answer = await reader.read(3)
        writer.close()
        return answer


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_a_server_of_the_authority_is_trusted_by_its_names(tmp_path: Path, run: object) -> None:
    own = private_authority(tmp_path / "tls")
    for host in ("127.0.0.1", "localhost"):
        assert run(_connect(own.server("gateway"), tmp_path / "tls/ca.pem", host)) == b"yes"  # type: ignore[operator]


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_why_a_certificate_is_refused_is_said_with_what_to_do(tmp_path: Path, run: object) -> None:
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
        with pytest.raises(NotTrusted, match=reason) as caught:
            run(_connect(server, tmp_path / ca / "ca.pem"))  # type: ignore[operator]
        assert remedy in str(caught.value)
        assert "127.0.0.1" in str(caught.value)


def test_a_process_halts_until_the_certificate_is_trusted_again() -> None:
    assert reaction_to(NotTrusted("expired")) is Reaction.HALT
    assert issubclass(NotTrusted, Halt)
    assert issubclass(NotTrusted, OSError), "client libraries take it for a failed connection"


def test_the_context_keeps_why_the_last_server_was_refused(tmp_path: Path) -> None:
    private_authority(tmp_path / "own")
    other = private_authority(tmp_path / "other")
    context = client_context(TlsFiles(tmp_path / "own/ca.pem"))

    async def connect() -> None:
        async with tls_server(server_context(other.server("x"))) as port:
            with pytest.raises(NotTrusted):
                await asyncio.open_connection("127.0.0.1", port, ssl=context)

    assert context.refusal is None
    asyncio.run(connect())
    assert "not from a trusted authority" in str(context.refusal)


def test_a_file_without_authorities_and_one_that_is_not_there_are_named(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    for path in (empty, tmp_path / "absent.pem"):
        with pytest.raises(CertificateUnusable, match=path.name):
            client_context(TlsFiles(path))


def test_a_clients_own_certificate_is_checked_as_a_servers_is(tmp_path: Path) -> None:
    own, path = private_authority(tmp_path / "tls"), tmp_path / "health.pem"
    own.client("agency-health", path)
    client_context(TlsFiles(None, pair(path)))
    path.chmod(0o640)
    with pytest.raises(CertificateUnusable, match="chmod 600"):
        client_context(TlsFiles(None, pair(path)))


@every(
    "address",
    [
        "postgresql://u:p@db.example/d",
        "postgresql://u:p@db.example/d?sslmode=require",
        "postgresql://u:p@db.example/d?sslmode=verify-ca",
        "postgresql://u:p@127.0.0.1,db.example:5433/d",
        "postgresql://u:p@[2001:db8::1]:5432/d",
        "postgresql:///d?host=db.example",
        "postgresql:///d?service=s",
    ],
)
def test_postgres_on_another_machine_needs_a_verified_connection(address: str) -> None:
    with pytest.raises(PlaintextRefused, match="sslmode=verify-full"):
        postgres_context(Settings(), address, {})
    assert postgres_context(Settings(dangerously_allow_plaintext="postgres"), address, {}) is None


@every(
    "address",
    [
        "postgresql://u:p@127.0.0.1:5432/d",
        "postgresql://u:p@localhost/d",
        "postgresql://u:p@[::1]:5432/d",
        "postgresql:///d?host=/run/postgresql",
        "postgresql://u@%2Frun%2Fpostgresql/d",
        "postgresql:///d",
    ],
)
def test_postgres_on_this_machine_is_reached_as_its_address_says(address: str) -> None:
    assert postgres_context(Settings(), address, {}) is None


def test_the_hosts_of_the_environment_count_as_well() -> None:
    with pytest.raises(PlaintextRefused, match=r"db\.example"):
        postgres_context(Settings(), "postgresql:///d", {"PGHOST": "db.example"})


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
