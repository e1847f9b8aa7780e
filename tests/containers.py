"""Kafka and PostgreSQL as containers, with the same settings as the embedded ones, where a Docker engine answers."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import asyncpg

from infra.deployment_files import POSTGRES_OPTIONS
from infra.embedded.health import kafka_ready
from infra.embedded.servers.kafka import server_properties, session_properties
from infra.embedded.servers.ports import HOST, choose
from infra.embedded.servers.postgres import INITDB_OPTIONS
from infra.principals import SUPERUSER
from infra.secret_files import write_private
from infra.settings import Settings

if TYPE_CHECKING:
    from tests.stack import TestStack

KAFKA_IMAGE: Final = "apache/kafka:4.4.0"
POSTGRES_IMAGE: Final = "postgres:18"
READY_S: Final = 120.0
ANSWER_S: Final = 2
ENGINE_SOCKET: Final = "/var/run/docker.sock"

FOR_TESTS: Final = {**POSTGRES_OPTIONS, "fsync": "off"}
"""As in `tests/stack.py`: no test on these services takes the machine's power away."""

START_KAFKA: Final = """
/opt/kafka/bin/kafka-storage.sh format --ignore-formatted -t "$(/opt/kafka/bin/kafka-storage.sh random-uuid)" \
  -c /config/server.properties $(cat /config/users) > /dev/null && \
exec /opt/kafka/bin/kafka-server-start.sh /config/server.properties
"""


def engine_answers() -> bool:
    """Whether a Docker engine is there: named in DOCKER_HOST, or listening at its usual socket."""
    if os.environ.get("DOCKER_HOST"):
        return True
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(ANSWER_S)
        return probe.connect_ex(ENGINE_SOCKET) == 0


@contextmanager
def container_services(home: Path) -> Iterator[TestStack]:
    """Both services for the length of a `with`."""
    from testcontainers.core.container import DockerContainer

    from tests.stack import TestStack

    passwords = {name: secrets.token_urlsafe(24) for name in ("admin", "controller", "postgres")}
    port, controller_port = choose([None, None])
    ports = {"port": port, "controller_port": controller_port}
    (postgres_port,) = choose([None])
    config = home / "kafka-container"
    _write_kafka_configuration(config, ports, passwords)
    kafka = (
        DockerContainer(KAFKA_IMAGE, entrypoint=["bash", "-c"])
        .with_command([START_KAFKA])
        .with_bind_ports(port, port)
        .with_volume_mapping(str(config), "/config", "ro")
    )
    postgres = (
        DockerContainer(POSTGRES_IMAGE)
        .with_env("POSTGRES_USER", "postgres")
        .with_env("POSTGRES_PASSWORD", passwords["postgres"])
        .with_env("POSTGRES_INITDB_ARGS", " ".join(INITDB_OPTIONS))
        .with_command(["postgres", *(f"--{name}={value}" for name, value in FOR_TESTS.items())])
        .with_bind_ports(5432, postgres_port)
    )
    address = f"postgresql://postgres:{passwords['postgres']}@{HOST}:{postgres_port}/postgres"
    with kafka, postgres:
        asyncio.run(_until_ready(port, passwords["admin"], address))
        superuser = {SUPERUSER: {"kafka": passwords["admin"], "postgres": passwords["postgres"]}}
        yield TestStack(f"{HOST}:{port}", None, "SASL_PLAINTEXT", superuser, address, "", given=False)


def _write_kafka_configuration(folder: Path, ports: dict[str, int], passwords: dict[str, str]) -> None:
    """The embedded broker's settings, listening on every address of the container and advertised as loopback."""
    folder.mkdir(parents=True)
    extra = {
        "listeners": f"SASL://0.0.0.0:{ports['port']},CONTROLLER://{HOST}:{ports['controller_port']}",
        "advertised.listeners": f"SASL://{HOST}:{ports['port']}",
        **session_properties(Settings().kafka_session_s),
    }
    write_private(folder / "server.properties", server_properties(Path("/tmp/kafka-data"), ports, passwords, extra))
    write_private(
        folder / "users", f"--add-scram SCRAM-SHA-512=[name=admin,iterations=8192,password={passwords['admin']}]"
    )
    for path in (folder, *folder.iterdir()):
        path.chmod(0o755)  # the image's own user reads it; the folder above is ours alone


async def _until_ready(kafka_port: int, admin_password: str, address: str) -> None:
    deadline = time.monotonic() + READY_S
    while not await kafka_ready(kafka_port, admin_password) or not await _postgres_ready(address):
        if time.monotonic() > deadline:
            raise RuntimeError(f"The containers were not ready after {READY_S:.0f} s.")
        await asyncio.sleep(0.2)


async def _postgres_ready(address: str) -> bool:
    try:
        connection = await asyncpg.connect(address, timeout=1.0)
    except (OSError, TimeoutError, asyncpg.PostgresError):
        return False
    await connection.close()
    return True
