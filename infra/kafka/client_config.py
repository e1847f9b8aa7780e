"""The address, user and arguments of every aiokafka client and FastStream broker."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from ssl import SSLContext
from typing import Any, Final, NotRequired, Self, TypedDict

from events.errors import YesserError
from infra.data_dir import DataDir
from infra.principals import kafka_user
from infra.settings import Settings
from infra.stack_record import LOOPBACK, broker_answers
from infra.tls.certificate_files import TlsFiles
from infra.tls.client import client_context
from infra.tls.plaintext import refuse_plaintext

REQUEST_TIMEOUT_MS: Final = 10_000
"""After this the library gives a connection up on which a request was not answered, and makes another one."""
CLUSTER_REQUEST_TIMEOUT_MS: Final = 4_000
"""The same where there are several brokers, of which another one answers. One that hangs is asked twice in a row: by an
open connection, and by the next one."""
PROBE_TIMEOUT_S: Final = 0.3
"""It holds the caller up; a broker that takes longer is asked later."""
PRODUCER_DURABLE: Final[dict[str, Any]] = {"acks": "all", "enable_idempotence": True}
"""Arguments of a producer: an acknowledged record is stored once and in order (within its session)."""


class NoKafka(YesserError):
    """No Kafka is configured and no embedded stack was started here. Run `yesser up`, or set YESSER_KAFKA."""


def bootstrap(settings: Settings) -> str:
    """`host:port[,host:port]` of the settings, else of the embedded stack."""
    if settings.kafka:
        return settings.kafka
    if not (servers := settings.stack().kafka_servers()):
        raise NoKafka(NoKafka.__doc__)
    return servers


def _first_asked(settings: Settings, servers: str) -> str:
    """Those of our own brokers that answer now, if any: a new client would wait for one that hangs."""
    ports = {} if settings.kafka else settings.stack().kafka_ports()
    answering = [port for port in ports.values() if len(ports) > 1 and broker_answers(port, PROBE_TIMEOUT_S)]
    return ",".join(f"{LOOPBACK}:{port}" for port in answering) or servers


class NoKafkaPassword(NoKafka):
    """A principal has no password for Kafka here; the message names the file that it is read from."""


def refuse_plain_kafka(settings: Settings) -> None:
    """Raises `PlaintextRefused` if the settings name a Kafka on another machine without TLS."""
    if not settings.kafka_security.endswith("SSL"):
        hosts = [server.rpartition(":")[0] for server in (settings.kafka or "").split(",") if server]
        refuse_plaintext(settings, "kafka", "The connection to Kafka", hosts, "set YESSER_KAFKA_SECURITY=SASL_SSL")


class ClientArguments(TypedDict):
    """Arguments of every client of aiokafka."""

    bootstrap_servers: str
    security_protocol: str
    request_timeout_ms: int
    ssl_context: NotRequired[SSLContext]
    sasl_mechanism: NotRequired[str]
    sasl_plain_username: NotRequired[str]
    sasl_plain_password: NotRequired[str]


def client_arguments(settings: Settings) -> ClientArguments:
    """Arguments of AIOKafkaConsumer, AIOKafkaProducer and the admin client.

    The user is that of the settings, else their principal, whose password is in its folder. Raises `NoKafka`,
    `NoKafkaPassword`, `PlaintextRefused` or `CertificateUnusable`.
    """
    refuse_plain_kafka(settings)
    servers = bootstrap(settings)
    arguments: ClientArguments = {
        "bootstrap_servers": _first_asked(settings, servers),
        "security_protocol": settings.kafka_security,
        "request_timeout_ms": CLUSTER_REQUEST_TIMEOUT_MS if "," in servers else REQUEST_TIMEOUT_MS,
    }
    if settings.kafka_security.endswith("SSL"):
        arguments["ssl_context"] = client_context(TlsFiles.of(settings))
    if settings.kafka_security.startswith("SASL"):
        user, secret = _login(settings)
        arguments["sasl_mechanism"] = "SCRAM-SHA-512"
        arguments["sasl_plain_username"], arguments["sasl_plain_password"] = user, secret
    return arguments


class _StoredPassword(str):
    """A principal's password. The client library encodes it for each new connection: then its file is read again.

    During a rotation there are two, of which the server takes one. A client tries again, so either is tried soon.
    """

    _read: Callable[[], list[str]]

    @classmethod
    def of(cls, settings: Settings, principal: str) -> Self:
        stored = cls(settings.secret("kafka", principal))
        stored._read = lambda: settings.passwords("kafka", principal)
        return stored

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return secrets.choice(possible_passwords(self)).encode(encoding, errors)


def possible_passwords(password: str) -> list[str]:
    """The passwords of which the server takes one: during a rotation there are two."""
    return (password._read() if isinstance(password, _StoredPassword) else []) or [str(password)]


def _login(settings: Settings) -> tuple[str, str]:
    if settings.kafka_user is not None:
        return settings.kafka_user, settings.kafka_password or ""
    name = settings.principal
    if settings.secret("kafka", name) is None:
        raise NoKafkaPassword(
            f"{name} has no password for Kafka here: run this where {settings.secret_path('kafka', name)} is, or set"
            " YESSER_KAFKA_USER and YESSER_KAFKA_PASSWORD (docs/security.md)."
        )
    return kafka_user(name), _StoredPassword.of(settings, name)


@dataclass(frozen=True, slots=True)
class AgencyListener:
    """Where agencies reach Kafka. `ca` is the file of its authority; None: one that clients trust already."""

    bootstrap_servers: str
    security_protocol: str
    ca: Path | None = None


def agency_listener(settings: Settings) -> AgencyListener:
    """The listener for agencies: that of the settings, the embedded stack's with TLS, else the platform's own."""
    if settings.kafka_agencies is not None:
        return AgencyListener(settings.kafka_agencies, "SASL_SSL", settings.tls_ca)
    if settings.kafka is None and (servers := settings.stack().kafka_servers("tls_port")):
        return AgencyListener(servers, "SASL_SSL", DataDir.at(settings.home).tls / "ca.pem")
    is_tls = settings.kafka_security.endswith("SSL")
    return AgencyListener(bootstrap(settings), settings.kafka_security, settings.tls_ca if is_tls else None)


def agency_topic(code: str) -> str:
    return f"agency.{code}.events"


def is_agency_topic(topic: str) -> bool:
    return topic.startswith("agency.") and topic.endswith(".events")


def agency_of(topic: str) -> str:
    """The code of the agency whose topic it is."""
    return topic.removeprefix("agency.").removesuffix(".events")


def agency_triggers_topic(settings: Settings, code: str) -> str:
    """The topic from which an agency's teams receive the entries about its campaigns."""
    return f"{settings.triggers_topic}.{code}"
