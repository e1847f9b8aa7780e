"""What an operator watches of a machine is measured when metrics are read."""

from __future__ import annotations

import socket
from datetime import UTC, datetime
from pathlib import Path
from socketserver import BaseRequestHandler, TCPServer
from threading import Thread

from cryptography import x509

from infra.embedded.servers.ports import choose
from infra.process.health import measure
from infra.settings import Settings
from infra.tls.authority import authority


def test_disk_wal_certificates_and_services_are_measured(tmp_path: Path) -> None:
    home, backups = tmp_path / "home", tmp_path / "backups"
    wal = home / "postgres" / "data" / "pg_wal"
    wal.mkdir(parents=True)
    backups.mkdir()
    (wal / "000000010000000000000001").write_bytes(bytes(1_000))
    authority(home / "tls", datetime.now(UTC)).server("gateway")
    expires = x509.load_pem_x509_certificate((home / "tls" / "ca.pem").read_bytes()).not_valid_after_utc.timestamp()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        settings = Settings(home=home, backup=backups, kafka=address, postgres=f"postgresql://{address}/yesser")
        found = {(name, *labels.values()): value for name, value, labels in measure(settings)}
    assert found["wal_bytes",] == 1_000
    assert found["certificate_expires_timestamp_seconds", "ca.pem"] == expires
    assert found["service_reachable", "kafka"]
    assert not found["service_reachable", "postgres"], "a connection is accepted also where the process hangs"
    assert 0 < found["disk_free_ratio", "backup"] < 1
    assert ("disk_free_ratio", "kafka") not in found, "a folder that is not on this machine"


def test_a_machine_without_a_stack_is_measured_too(tmp_path: Path) -> None:
    assert {name for name, _, _ in measure(Settings(home=tmp_path / "none"))} <= {"service_reachable"}


class Answer(BaseRequestHandler):
    """As PostgreSQL without TLS answers the question for it."""

    def handle(self) -> None:
        self.request.recv(8)
        self.request.sendall(b"N")


def test_each_of_two_database_servers_is_measured(tmp_path: Path) -> None:
    (nobody,) = choose([None])
    with TCPServer(("127.0.0.1", 0), Answer) as primary:
        Thread(target=primary.serve_forever, daemon=True).start()
        port = primary.server_address[1]
        settings = Settings(home=tmp_path, postgres=f"postgresql://127.0.0.1:{nobody},127.0.0.1:{port}/yesser")
        found = {labels["service"]: value for _, value, labels in measure(settings) if "service" in labels}
        primary.shutdown()
    assert found == {"postgres": True, f"postgres 127.0.0.1:{nobody}": False, f"postgres 127.0.0.1:{port}": True}
