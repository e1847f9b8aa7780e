"""What an operator watches beside the processes: free disk, WAL, certificates, and whether the services answer.

It is measured when metrics are read, by every process: each may run on a machine of its own.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from cryptography import x509

from infra.data_dir import DataDir
from infra.observability.telemetry import GaugeName, Labels
from infra.postgres.connection import NoDatabase, address, servers
from infra.server_probe import accepts, broker_answers, places
from infra.settings import Settings
from infra.stack_record import BROKERS

Measured: TypeAlias = Iterator[tuple[GaugeName, float, Labels]]


def measure(settings: Settings) -> Measured:
    """The gauges. What is not on this machine, or may not be read, is left out. It blocks for a second at most for each
    server that does not answer."""
    home = DataDir.at(settings.home)
    brokers = {name: home.broker(name) for name in BROKERS}
    folders = {"home": home.root, "postgres": home.postgres, **brokers, "backup": settings.backup}
    for name, folder in folders.items():
        if folder is not None and folder.exists():
            usage = shutil.disk_usage(folder)
            yield "disk_free_ratio", usage.free / usage.total, {"folder": name}
    with suppress(OSError):
        files = [path.stat() for path in (home.postgres / "data" / "pg_wal").iterdir() if path.is_file()]
        yield "wal_bytes", sum(file.st_size for file in files), {}
    for path in (settings.gateway_certificate, settings.tls_certificate, settings.tls_ca, *home.tls.glob("*.pem")):
        if path is not None:
            yield from _certificate(path)
    for service, named in _services(settings).items():
        yield "service_reachable", any(accepts(port, host) for host, port in named), {"service": service}
    for broker, port in ({} if settings.kafka else settings.stack().kafka_ports()).items():
        yield "service_reachable", broker_answers(port), {"service": broker}


def _certificate(path: Path) -> Measured:
    with suppress(OSError, ValueError):
        first = x509.load_pem_x509_certificates(path.read_bytes())[0]
        yield "certificate_expires_timestamp_seconds", first.not_valid_after_utc.timestamp(), {"file": path.name}


def _services(settings: Settings) -> dict[str, list[tuple[str, int]]]:
    """Where each service accepts connections."""
    found = {"kafka": [*places(settings.kafka or "", 9092)]}
    with suppress(NoDatabase):
        found["postgres"] = servers(address(settings))
        if len(found["postgres"]) > 1:
            found |= {f"postgres {host}:{port}": [(host, port)] for host, port in found["postgres"]}
    return {service: named for service, named in found.items() if named}
