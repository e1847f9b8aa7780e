"""The address, user and arguments of every aiokafka client and FastStream broker."""

from __future__ import annotations

import ssl
from typing import Any, Final

from events.errors import YesserError
from infra.settings import Settings

REQUEST_TIMEOUT_MS: Final = 10_000
"""After this the library gives a connection up on which a request was not answered, and makes another one."""
PRODUCER_DURABLE: Final[dict[str, Any]] = {"acks": "all", "enable_idempotence": True}
"""Arguments of a producer: an acknowledged record is stored once and in order (within its session)."""


class NoKafka(YesserError):
    """No Kafka is configured and no embedded stack was started here. Run `yesser up`, or set YESSER_KAFKA."""


def bootstrap(settings: Settings) -> str:
    """`host:port[,host:port]` of the settings, else of the embedded stack."""
    if settings.kafka:
        return settings.kafka
    stack = settings.stack()
    if stack is None or "kafka" not in stack:
        raise NoKafka(NoKafka.__doc__)
    return f"127.0.0.1:{stack['kafka']['port']}"


def client_arguments(settings: Settings, user: str | None = None) -> dict[str, Any]:
    """Arguments of AIOKafkaConsumer, AIOKafkaProducer and the admin client.

    `user` is a principal of the embedded stack (`admin`, `platform`, `agency-<code>`); by default that of the settings,
    else `platform`. Its password comes from the settings or from the stack.
    """
    arguments: dict[str, Any] = {
        "bootstrap_servers": bootstrap(settings),
        "security_protocol": settings.kafka_security,
        "request_timeout_ms": REQUEST_TIMEOUT_MS,
    }
    if settings.kafka_security.endswith("SSL"):
        arguments["ssl_context"] = ssl.create_default_context()
    if settings.kafka_security.startswith("SASL"):
        name = user or settings.kafka_user or "platform"
        given = settings.kafka_password if name == settings.kafka_user else None
        arguments |= {
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_plain_username": name,
            "sasl_plain_password": given or settings.secret(f"kafka-{name}") or "",
        }
    return arguments


def agency_topic(code: str) -> str:
    return f"agency.{code}.events"
