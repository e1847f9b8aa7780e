"""The principals of the platform. One name is a database role, a Kafka user and a folder of secrets.

What each may do is data: `infra/postgres/rights.toml`, and `principal_rights` in `infra/kafka/rights.py`.
"""

from __future__ import annotations

from typing import Final

CONSUMERS: Final = ("projections", "campaigns", "revenue", "event-index")
PRINCIPALS: Final = (
    "migrator",
    "administrator",
    "operator",
    "registrar",
    "relay",
    *CONSUMERS,
    "delivery",
    "gateway",
    "console",
    "reader",
    "auditor",
    "backup",
)
"""Those that have a password for the database."""
KAFKA_PRINCIPALS: Final = tuple(name for name in PRINCIPALS if name not in ("migrator", "console", "backup"))
"""Those that are users of Kafka too."""
SCRAM_ITERATIONS: Final = 8192
"""Of the hash of each Kafka password."""

SUPERUSER: Final = "superuser"
"""The superuser of PostgreSQL and of Kafka: only what prepares the services, the servers themselves, and an operator's
`yesser postgres` use it."""
OWNER_ROLE: Final = "yesser_owner"
"""Owns the database, its schemas and its tables; it cannot log in."""


def database_role(principal: str) -> str:
    """The database role that a principal logs in as."""
    return "postgres" if principal == SUPERUSER else f"yesser_{principal.replace('-', '_')}"


def kafka_user(principal: str) -> str:
    """The Kafka user that a principal logs in as."""
    return "admin" if principal == SUPERUSER else principal


def schema_of(consumer: str) -> str:
    """The schema of a consumer's read models."""
    return consumer.replace("-", "_")


def schema_owner(schema: str) -> str:
    """The role that owns the read models of a consumer. It cannot log in: the consumer and the operator become it to
    build the read models again, and for nothing else."""
    return f"yesser_{schema}_owner"
