"""What each Kafka user may do: an agency, and each principal of the platform.

A right that is not here does not exist: the broker refuses by default, and `docs/security.md` shows what a test tried.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from infra.kafka.client_config import agency_triggers_topic
from infra.principals import CONSUMERS
from infra.settings import Settings

PLATFORM_TOPICS: Final = "agency.platform."
OFFICE: Final = "yesser"
"""The first programme office (events.md §2): it may also read the triggers of all agencies."""


class Resource(IntEnum):
    """Kafka's ResourceType."""

    TOPIC = 2
    GROUP = 3
    CLUSTER = 4


class Operation(IntEnum):
    """Kafka's AclOperation."""

    ANY = 1
    READ = 3
    WRITE = 4
    CREATE = 5
    DELETE = 6
    ALTER = 7
    DESCRIBE = 8
    DESCRIBE_CONFIGS = 10
    ALTER_CONFIGS = 11


@dataclass(frozen=True, slots=True)
class Right:
    """`user` may do `operations` on every `resource` whose name starts with `prefix` (None: on all; `exact`: is it).

    `denied` forbids it, whatever other rights allow.
    """

    user: str
    resource: Resource
    prefix: str | None
    operations: tuple[Operation, ...]
    denied: bool = False
    exact: bool = False

    @property
    def is_literal(self) -> bool:
        """Whether `name` is the whole name of the resource (`*`: of any); else what the name starts with."""
        return self.prefix is None or self.exact

    @property
    def name(self) -> str:
        return self.prefix or ("kafka-cluster" if self.resource is Resource.CLUSTER else "*")


def agency_user(code: str) -> str:
    return f"agency-{code}"


def agency_rights(code: str, settings: Settings) -> list[Right]:
    """An agency may write to its own topics, and read the entries about its own campaigns, in groups of its own.

    A prefix ends in a delimiter: `agency.moi` alone would also match `agency.moiX`. The name of a triggers topic ends
    in the code, so it is matched exactly.
    """
    user, reads = agency_user(code), (Operation.READ, Operation.DESCRIBE)
    readable = [agency_triggers_topic(settings, code)] + ([settings.triggers_topic] if code == OFFICE else [])
    return [
        Right(user, Resource.TOPIC, f"agency.{code}.", (Operation.WRITE, Operation.DESCRIBE)),
        *(Right(user, Resource.TOPIC, topic, reads, exact=True) for topic in readable),
        Right(user, Resource.GROUP, f"agency.{code}.", reads),
    ]


def principal_rights(settings: Settings) -> list[Right]:
    """The rights of the platform's own users. Only the relay writes as the platform, only the registrar the log."""
    log, checkpoints, triggers = settings.log_topic, settings.checkpoints_topic, settings.triggers_topic
    reads, writes = (Operation.READ, Operation.DESCRIBE), (Operation.WRITE, Operation.DESCRIBE)
    own_topics = (*reads, Operation.WRITE, Operation.CREATE)
    administers = (
        Operation.CREATE,
        Operation.DELETE,
        Operation.ALTER,
        Operation.DESCRIBE,
        Operation.DESCRIBE_CONFIGS,
        Operation.ALTER_CONFIGS,
    )
    return [
        Right("registrar", Resource.TOPIC, "agency.", reads),
        Right("registrar", Resource.TOPIC, log, own_topics),
        Right("registrar", Resource.TOPIC, checkpoints, own_topics),
        # A recovery reads them, as the registrar; nobody else does.
        Right("registrar", Resource.TOPIC, settings.texts_topic, own_topics),
        # CREATE: a topic that is gone is made again by the command that lifts its halt.
        Right("relay", Resource.TOPIC, PLATFORM_TOPICS, (*writes, Operation.CREATE)),
        # CREATE: the topic of an agency that was registered before agencies had one.
        Right("relay", Resource.TOPIC, triggers, (*writes, Operation.CREATE)),
        # Whether the database is older than what was published.
        *(Right("relay", Resource.TOPIC, topic, reads) for topic in (log, checkpoints)),
        *(Right(consumer, Resource.TOPIC, log, reads) for consumer in CONSUMERS),
        *_any_agency("gateway", writes),
        # Publishes files for an agency, and fills a topic that has lost its end.
        *_any_agency("operator", own_topics),
        Right("reader", Resource.TOPIC, "agency.", (Operation.DESCRIBE,)),
        Right("reader", Resource.TOPIC, log, reads),
        Right("reader", Resource.TOPIC, triggers, reads),
        Right("auditor", Resource.TOPIC, log, reads),
        Right("auditor", Resource.TOPIC, checkpoints, reads),
        Right("administrator", Resource.TOPIC, None, administers),
        Right("administrator", Resource.CLUSTER, None, (*administers[2:], Operation.CREATE)),
    ]


def _any_agency(user: str, operations: tuple[Operation, ...]) -> list[Right]:
    """The topics of every agency, but never a write as the platform."""
    return [
        Right(user, Resource.TOPIC, "agency.", operations),
        Right(user, Resource.TOPIC, PLATFORM_TOPICS, (Operation.WRITE,), denied=True),
    ]
