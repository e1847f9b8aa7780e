"""Apache Kafka on one node (broker and controller): settings, one-time format, command line.

Everything runs as in production: SCRAM-SHA-512 for clients, ACLs, no rights by default. Passwords are in files that
only the owner can read; `java @file` keeps them off the command line.
Java runs in Kafka's folder with relative names: Kafka would read a comma in a path as a list, and a properties file
as Latin-1. `UTF_8` makes Java decode the folder's name correctly.
"""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infra.embedded.servers.one_time_tool import run_tool
from infra.embedded.servers.ports import HOST
from infra.secret_files import write_private

NODE_ID: Final = 1
SCRAM_ITERATIONS: Final = 8192
TOOL_TIMEOUT_S: Final = 300
UTF_8: Final[dict[str, str]] = {"LC_ALL": "C.UTF-8"}
DATA: Final = Path("data")
UNFINISHED: Final = Path("data.unfinished")
LOG4J_OPTION: Final = "-Dlog4j2.configurationFile=log4j2.properties"
MAIN_CLASS: Final = "kafka.Kafka"
SCRAM_LOGIN: Final = "org.apache.kafka.common.security.scram.ScramLoginModule"
PLAIN_LOGIN: Final = "org.apache.kafka.common.security.plain.PlainLoginModule"

_FIXED: Final = Path(__file__).with_name("kafka-compose.properties")
_OF_CONTAINERS: Final = frozenset({"advertised.listeners", "connections.max.reauth.ms"})
"""Settings in this file that the broker here has not, or as its session is set."""

AUTHORITY_FILE: Final = "authority.pem"
CERTIFICATE_FILE: Final = "certificate.pem"

# Listeners for agencies, with the reason where the name does not give it.
TLS_PROPERTIES: Final[Mapping[str, str]] = {
    "listener.security.protocol.map": (
        "SASL:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT,AGENCIES:SASL_SSL,CERTIFICATES:SSL"
    ),
    **{
        f"listener.name.{listener}.ssl.{name}": value
        for listener in ("agencies", "certificates")
        for name, value in (("keystore.type", "PEM"), ("keystore.location", CERTIFICATE_FILE))
    },
    # The broker checks passwords there and never logs in itself.
    "listener.name.agencies.scram-sha-512.sasl.jaas.config": f"{SCRAM_LOGIN} required;",
    "listener.name.certificates.ssl.client.auth": "required",
    "listener.name.certificates.ssl.truststore.type": "PEM",
    "listener.name.certificates.ssl.truststore.location": AUTHORITY_FILE,
    # A certificate with any other subject is no user: without the rule DEFAULT its connection is refused.
    "ssl.principal.mapping.rules": "RULE:^CN=(agency-[a-z0-9-]+)$/$1/",
}

JVM_OPTIONS: Final = (
    "-Xms128m",
    "-Xmx512m",
    "-XX:+UseSerialGC",
    # The optimizing compiler costs more than it saves: docs/decisions/embedded-kafka-is-compiled-quickly.md
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
    "-XX:-UsePerfData",
    # The archive holds loaded classes only: this runtime rejects archived machine code.
    "-XX:+UnlockDiagnosticVMOptions",
    "-XX:-AOTAdapterCaching",
    "-XX:-AOTStubCaching",
    "-Djava.awt.headless=true",
    "-Dfile.encoding=UTF-8",
    "-Djava.net.preferIPv4Stack=true",
)

LOG4J_PROPERTIES: Final = """\
status=error
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{yyyy-MM-dd'T'HH:mm:ss.SSS'Z'}{UTC} %p %c{1} %m%n
rootLogger.level=info
rootLogger.appenderRef.out.ref=out
logger.client.name=org.apache.kafka.clients
logger.client.level=warn
logger.configs.name=org.apache.kafka.common.config.AbstractConfig
logger.configs.level=warn
logger.serverconfigs.name=kafka.server.KafkaConfig
logger.serverconfigs.level=warn
"""


@dataclass(frozen=True, slots=True)
class KafkaPorts:
    """The ports of clients and of the controller; with TLS, those of agencies by password and by certificate."""

    broker: int
    controller: int
    tls: int | None = None
    mutual_tls: int | None = None


@dataclass(frozen=True, slots=True)
class Java:
    """The runtime, the class path in its fixed order, and the archive that speeds up starts (created if absent)."""

    executable: Path
    jars: Sequence[Path]
    archive: Path | None


def server_properties(
    data: Path, ports: KafkaPorts, passwords: Mapping[str, str], extra: Mapping[str, str] | None = None
) -> str:
    """The text of `server.properties`; `passwords` holds those of `admin` and `controller`."""
    admin, controller = passwords["admin"], passwords["controller"]
    properties = {
        **_fixed_properties(),
        "log.dirs": str(data),
        "listeners": f"SASL://{HOST}:{ports.broker},CONTROLLER://{HOST}:{ports.controller}",
        # A fixed quorum: ports may differ after a restart, which a recorded (dynamic) quorum does not allow.
        "controller.quorum.voters": f"{NODE_ID}@{HOST}:{ports.controller}",
        "listener.name.sasl.scram-sha-512.sasl.jaas.config": (
            f'{SCRAM_LOGIN} required username="admin" password="{admin}";'
        ),
        "listener.name.controller.plain.sasl.jaas.config": (
            f'{PLAIN_LOGIN} required username="controller" password="{controller}" user_controller="{controller}";'
        ),
        **(extra or {}),
    }
    return "".join(f"{name}={value}\n" for name, value in properties.items())


def _fixed_properties() -> dict[str, str]:
    """Addresses and passwords in them are those of the container, which the caller replaces."""
    lines = _FIXED.read_text(encoding="utf-8").splitlines()
    properties = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    return {name: value for name, value in properties.items() if name not in _OF_CONTAINERS}


def session_properties(seconds: int) -> dict[str, str]:
    """A login lasts this long: a password that was replaced also ends the connections that were opened with it."""
    return {"connections.max.reauth.ms": str(seconds * 1000)}


def tls_properties(ports: KafkaPorts) -> dict[str, str]:
    """The settings of the listeners for agencies. The platform's own connections stay on loopback and plain."""
    own = f"SASL://{HOST}:{ports.broker},CONTROLLER://{HOST}:{ports.controller}"
    agencies = f"AGENCIES://{HOST}:{ports.tls},CERTIFICATES://{HOST}:{ports.mutual_tls}"
    return {**TLS_PROPERTIES, "listeners": f"{own},{agencies}"}


def java_command(java: Java) -> list[str]:
    """The broker's command line, to be run in Kafka's folder; it has no password and no address."""
    return [
        str(java.executable),
        *_options(java),
        LOG4J_OPTION,
        "-cp",
        os.pathsep.join(map(str, java.jars)),
        MAIN_CLASS,
        "server.properties",
    ]


def _options(java: Java) -> list[str]:
    return [*JVM_OPTIONS, *([] if java.archive is None else [f"-XX:AOTCache={java.archive}"])]


def write_configuration(
    folder: Path, ports: KafkaPorts, passwords: Mapping[str, str], session_s: int, certificates: Path | None = None
) -> None:
    """Write the broker's files; ports may have changed since the last start. `certificates`: the folder of the private
    authority, with TLS."""
    write_private(folder / "log4j2.properties", LOG4J_PROPERTIES)
    extra = session_properties(session_s)
    if certificates is not None:
        extra |= tls_properties(ports)
        write_private(folder / AUTHORITY_FILE, (certificates / "ca.pem").read_text("ascii"))
        write_private(folder / CERTIFICATE_FILE, (certificates / "kafka.pem").read_text("ascii"))
    write_private(folder / "server.properties", server_properties(DATA, ports, passwords, extra))


def make_archive(java: Java, folder: Path, environment: Mapping[str, str], classes: Path, archive: Path) -> None:
    """Make the archive of a list of classes that a broker has recorded."""
    options = ("-XX:AOTMode=create", f"-XX:AOTConfiguration={classes}", f"-XX:AOTCache={archive}")
    executable, *arguments = java_command(java)
    command = [executable, *options, *arguments]
    run_tool(command, "The archive of Kafka's classes", folder, TOOL_TIMEOUT_S, cwd=folder, env=environment)


def format_storage(java: Java, folder: Path, ports: KafkaPorts, passwords: Mapping[str, str]) -> None:
    """Create the storage with the user `admin` unless it exists; `yesser prepare` creates the others.

    It is created under another name and renamed, so that an interrupted format is never taken for complete.
    """
    data, unfinished = folder / DATA, folder / UNFINISHED
    if data.exists():
        return
    shutil.rmtree(unfinished, ignore_errors=True)
    properties = folder / "format.properties"
    arguments = folder / "format.arguments"
    write_private(properties, server_properties(UNFINISHED, ports, passwords))
    write_private(arguments, _argument_file(_format_arguments(java, properties.name, passwords)))
    try:
        command = [str(java.executable), f"@{arguments.name}"]
        run_tool(command, "Kafka's storage", folder, TOOL_TIMEOUT_S, cwd=folder, env=os.environ | UTF_8)
    finally:
        arguments.unlink(missing_ok=True)
        properties.unlink(missing_ok=True)
    unfinished.rename(data)


def _format_arguments(java: Java, properties: str, passwords: Mapping[str, str]) -> list[str]:
    cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A", 1)
    admin = f"SCRAM-SHA-512=[name=admin,iterations={SCRAM_ITERATIONS},password={passwords['admin']}]"
    return [
        *_options(java),
        LOG4J_OPTION,
        "-cp",
        os.pathsep.join(map(str, java.jars)),
        "kafka.tools.StorageTool",
        "format",
        "-t",
        cluster_id,
        "-c",
        properties,
        *("--add-scram", admin),
    ]


def _argument_file(arguments: Sequence[str]) -> str:
    """One quoted argument per line, as the `java` launcher reads it."""
    return "".join('"' + a.replace("\\", "\\\\").replace('"', '\\"') + '"\n' for a in arguments)


def archive_name(java_version: str, jars: Sequence[Path]) -> str:
    """The archive's file name, which depends on the runtime, the jars and their paths."""
    key = "\n".join([java_version, *JVM_OPTIONS, *map(str, jars)])
    return f"kafka-{hashlib.sha256(key.encode()).hexdigest()[:12]}.aot"
