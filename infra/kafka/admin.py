"""Creates topics with their guarantees, SCRAM users and ACLs.

aiokafka's admin client creates topics but neither ACLs nor users; these are sent as wire requests. A user's password
never leaves this process: the broker gets the salted one (RFC 5802), as from Kafka's own tool.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from operator import itemgetter
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    KafkaError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
    for_code,
)
from aiokafka.protocol.admin import (
    AlterPartitionReassignmentsRequest,
    CreateAclsRequest,
    DeleteAclsRequest,
    DescribeAclsRequest,
)

from events.errors import YesserError
from infra.kafka.client_config import (
    agency_of,
    agency_topic,
    agency_triggers_topic,
    client_arguments,
    is_agency_topic,
)
from infra.kafka.clients import raw_client, send_repeatable, start_client, stop_admin
from infra.kafka.rights import Operation, Resource, Right, agency_rights, agency_user, principal_rights
from infra.kafka.scram import (
    SCRAM_SHA_512,
    AlterClientQuotasRequest,
    AlterUserScramCredentialsRequest,
    Quotas,
    agency_quotas,
)
from infra.principals import KAFKA_PRINCIPALS, SCRAM_ITERATIONS, SUPERUSER, kafka_user
from infra.secret_files import password
from infra.settings import Settings

SALT_BYTES: Final = 24
TOPIC_VISIBLE_S: Final = 10.0

LOG_TOPIC_CONFIG: Final[Mapping[str, str]] = {
    "retention.ms": "-1",
    "retention.bytes": "-1",
    "cleanup.policy": "delete",
    "message.timestamp.type": "LogAppendTime",
}
CHECKPOINTS_TOPIC_CONFIG: Final[Mapping[str, str]] = {
    "cleanup.policy": "compact",
    # A standby reads the whole topic: some 1,000 checkpoints. What a former owner writes late must not remove a newer
    # checkpoint before the owner has written it again.
    "min.compaction.lag.ms": "600000",
    "segment.ms": "600000",
    "message.timestamp.type": "LogAppendTime",
}
_DAY_MS: Final = 86_400_000
TEXTS_TOPIC_CONFIG: Final[Mapping[str, str]] = {
    "cleanup.policy": "compact",
    # A text that is withheld is removed within a day: a closed segment is compacted after half a day at most, and
    # the registrar writes again what closes it (`consumers.registrar.topics.texts_topic`).
    "max.compaction.lag.ms": str(_DAY_MS // 2),
    "segment.ms": "3600000",
    "message.timestamp.type": "LogAppendTime",
}


class KafkaRefused(YesserError):
    """Kafka refused to change a topic, a user, a quota or an ACL; the message names it and Kafka's reason."""


class NoRight(KafkaRefused):
    """These credentials may not change it: nothing was changed."""


_REASSIGN_MS: Final = 30_000
_LOOK_EVERY_S: Final = 0.1
_ANY: Final = 1
_LITERAL: Final = 3
_PREFIXED: Final = 4
_NO_SUCH_USER: Final = 91
_DENY: Final = 2
_ALLOW: Final = 3
FORMER_USER: Final = "platform"
"""Did everything before each process had a user of its own."""
PLATFORM: Final = "platform"
"""The agency that is the system itself: it owns no campaigns."""
_SET_FOR_TOPIC: Final = 1
"""Kafka's ConfigSource DYNAMIC_TOPIC_CONFIG."""


@asynccontextmanager
async def admin_client(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    """A started admin client, as the principal of the settings."""
    client = AIOKafkaAdminClient(client_id="yesser-admin", **client_arguments(settings))
    try:
        await start_client(client)
        yield client
    finally:
        await stop_admin(client)


async def ensure_topic(
    admin: AIOKafkaAdminClient, name: str, config: Mapping[str, str], *, replication: int = 1
) -> bool:
    """Create the topic, with one partition, unless it exists, and wait until it can be used; returns whether it was
    created."""
    topic = NewTopic(name, 1, replication, topic_configs={**config, **safe_copies(replication)})
    response = await admin.create_topics([topic])
    ((_, code, *reason),) = response.topic_errors
    if code == TopicAlreadyExistsError.errno:
        return False
    _require(code, reason[0] if reason else None, f"topic {name} could not be created")
    await _until_led(admin, name)
    return True


def safe_copies(copies: int) -> dict[str, str]:
    """How many copies of a topic must have a record before it is acknowledged: all but one, since a broker may be away.
    And only one of these leads: a topic waits for it rather than lose what was acknowledged.

    Kafka's own default is one copy, which may be lost with its broker, and a cluster may let any copy lead.
    """
    return {"min.insync.replicas": str(max(1, copies - 1)), "unclean.leader.election.enable": "false"}


def agency_topic_config(settings: Settings, copies: int) -> dict[str, str]:
    """The configuration of an agency's topic with this number of copies.

    Where one copy is enough to acknowledge a record, or all are on one machine, it is on the disk before: no other
    broker may have it after a power cut, and PostgreSQL has it only once it is registered.
    """
    is_enough = int(safe_copies(copies)["min.insync.replicas"]) == 1 or settings.kafka is None
    return {
        **LOG_TOPIC_CONFIG,
        "retention.ms": str(settings.agency_retention_days * _DAY_MS),
        # Kafka deletes whole segments: with one a day, no record outlives the retention by more.
        "segment.ms": str(_DAY_MS),
        "max.message.bytes": "131072",
        # The broker decompresses what it stores, so that a compression bomb never reaches our processes.
        "compression.type": "uncompressed",
        **({"flush.messages": "1"} if is_enough else {}),
    }


async def ensure_agency_topic(admin: AIOKafkaAdminClient, code: str, settings: Settings) -> bool:
    """Create an agency's topic, with one partition; returns whether it was created."""
    copies = settings.topic_copies
    config = agency_topic_config(settings, copies)
    return await ensure_topic(admin, agency_topic(code), config, replication=copies)


async def ensure_triggers_topic(admin: AIOKafkaAdminClient, code: str, settings: Settings) -> bool:
    """Create the topic of the entries about an agency's campaigns; returns whether it was created."""
    topic, replication = agency_triggers_topic(settings, code), settings.topic_copies
    return await ensure_topic(admin, topic, LOG_TOPIC_CONFIG, replication=replication)


async def configure_topics(admin: AIOKafkaAdminClient, settings: Settings) -> list[str]:
    """Give every existing topic of the platform its configuration; returns the changed ones. Other values of a topic
    stay, and so does the number of its copies, which may be an earlier one."""
    names = set(await admin.list_topics())
    agencies = {name for name in names if is_agency_topic(name)}
    triggers = {agency_triggers_topic(settings, agency_of(topic)) for topic in agencies} | {settings.triggers_topic}
    described = await admin.describe_topics(sorted(names & (agencies | triggers | log_topics(settings).keys())))
    changed = []
    for topic in sorted(described, key=itemgetter("topic")):
        name = topic["topic"]
        copies = min((len(partition["replicas"]) for partition in topic["partitions"]), default=1)
        wanted = safe_copies(copies)
        if name in agencies:
            wanted |= agency_topic_config(settings, copies)
        elif name == settings.texts_topic:
            wanted |= TEXTS_TOPIC_CONFIG
        own = await own_config(admin, name)
        if {**own, **wanted} != own:
            # The request replaces all values of the topic.
            resource = ConfigResource(ConfigResourceType.TOPIC, name, configs={**own, **wanted})
            for response in await admin.alter_configs([resource]):
                for code, message, *_ in response.resources:
                    _require(code, message, f"topic {name} could not be configured")
            changed.append(name)
    return changed


async def raise_copies(admin: AIOKafkaAdminClient, copies: int) -> None:
    """Give every topic, Kafka's own too, this number of copies where it has fewer, and wait until all are in sync. An
    interrupted change goes on when it is repeated."""
    nodes = sorted(broker["node_id"] for broker in (await admin.describe_cluster())["brokers"])
    copies = min(copies, len(nodes))
    rows: list[Any] = [
        (topic["topic"], [_placed(partition, nodes, copies) for partition in topic["partitions"]], {})
        for topic in await admin.describe_topics()
        if any(len(partition["replicas"]) < copies for partition in topic["partitions"])
    ]
    if rows:
        response = await _send(raw_client(admin), AlterPartitionReassignmentsRequest(_REASSIGN_MS, rows, {}))
        _require(response.error_code, response.error_message, "the copies of topics could not be raised")
        for name, partitions, _ in response.responses:
            for _, code, message, _ in partitions:
                _require(code, message, f"the copies of {name} could not be raised")
    while True:
        topics = await admin.describe_topics()
        if all(len(partition["isr"]) >= copies for topic in topics for partition in topic["partitions"]):
            return
        await asyncio.sleep(_LOOK_EVERY_S)


def _placed(partition: Mapping[str, Any], nodes: Sequence[int], copies: int) -> tuple[int, list[int], dict[str, Any]]:
    """A partition with copies on further nodes; its first copies stay."""
    there = partition["replicas"]
    return partition["partition"], [*there, *(node for node in nodes if node not in there)][:copies], {}


async def own_config(admin: AIOKafkaAdminClient, topic: str) -> dict[str, str]:
    """The values that were set for this topic."""
    (response,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    ((code, message, _, _, entries),) = response.resources
    _require(code, message, f"topic {topic} could not be read")
    return {name: value for name, value, _, source, *_ in entries if source == _SET_FOR_TOPIC}


async def delete_records(admin: AIOKafkaAdminClient, topic: str, end: int) -> None:
    """Delete the topic's records before offset `end`: from then on it begins there."""
    await admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(before_offset=end)})


def log_topics(settings: Settings) -> dict[str, Mapping[str, str]]:
    """The topics that the registrar alone writes, with their settings: the log, its checkpoints and its texts."""
    return {
        settings.log_topic: LOG_TOPIC_CONFIG,
        settings.checkpoints_topic: CHECKPOINTS_TOPIC_CONFIG,
        settings.texts_topic: TEXTS_TOPIC_CONFIG,
    }


def platform_topics(settings: Settings) -> dict[str, dict[str, str]]:
    """The topics that the platform writes, with their whole configuration: the log, its checkpoints and texts, the
    triggers, and its own agency topic."""
    copies = settings.topic_copies
    own = {agency_topic(PLATFORM): agency_topic_config(settings, copies)}
    found = {**log_topics(settings), settings.triggers_topic: LOG_TOPIC_CONFIG, **own}
    return {name: {**config, **safe_copies(copies)} for name, config in found.items()}


async def ensure_log_topics(admin: AIOKafkaAdminClient, settings: Settings) -> None:
    """Create the topics that the platform writes."""
    for name, config in platform_topics(settings).items():
        await ensure_topic(admin, name, config, replication=settings.topic_copies)


async def delete_topics(admin: AIOKafkaAdminClient, names: Sequence[str]) -> None:
    """Delete topics with their records; an absent topic is no error."""
    if not names:
        return
    response = await admin.delete_topics(list(names))
    for name, code in response.topic_error_codes:
        if code != UnknownTopicOrPartitionError.errno:
            _require(code, None, f"topic {name} could not be deleted")


async def create_scram_user(client: AIOKafkaClient, name: str, password: str) -> None:
    """Create the user or change its password (SCRAM-SHA-512)."""
    salt = secrets.token_bytes(SALT_BYTES)
    salted = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, SCRAM_ITERATIONS)
    response = await _send(
        client, AlterUserScramCredentialsRequest(upserted=(name, SCRAM_SHA_512, SCRAM_ITERATIONS, salt, salted))
    )
    for user, code, message, _ in response.results:
        _require(code, message, f"user {user} could not be changed")


async def delete_scram_user(client: AIOKafkaClient, name: str) -> None:
    """Delete the user's password; a user without one is no error."""
    response = await _send(client, AlterUserScramCredentialsRequest(deleted=(name, SCRAM_SHA_512)))
    for user, code, message, _ in response.results:
        if code != _NO_SUCH_USER:
            _require(code, message, f"user {user} could not be deleted")


async def set_quotas(client: AIOKafkaClient, user: str, quotas: Quotas) -> None:
    """Set these quotas of a user; its others stay. They apply from the next request and survive a new password."""
    response = await _send(client, AlterClientQuotasRequest(user, quotas))
    for code, message, _ in response.entries:
        _require(code, message, f"the quotas of {user} could not be set")


async def create_acls(client: AIOKafkaClient, rights: Sequence[Right]) -> None:
    """Create ACLs; existing ones stay."""
    for right in rights:
        pattern = _LITERAL if right.is_literal else _PREFIXED
        permission = _DENY if right.denied else _ALLOW
        to = (right.resource, right.name, pattern, f"User:{right.user}", "*")
        for operation in right.operations:
            request = CreateAclsRequest(*to, operation, permission)
            response = await _send(client, request)
            for code, message in response.creation_responses:
                _require(code, message, f"{right} could not be granted")


async def delete_acls(client: AIOKafkaClient, user: str, resource: int = _ANY) -> None:
    """Delete all ACLs of a user, or those on one kind of resource."""
    request = DeleteAclsRequest(resource, None, _ANY, f"User:{user}", None, Operation.ANY, _ANY)
    response = await _send(client, request)
    for code, message, _ in response.filter_responses:
        _require(code, message, f"the rights of {user} could not be removed")


async def prepare_cluster(settings: Settings) -> None:
    """Create this version's topics, users and rights; repeating it changes nothing. Needs Kafka's superuser.

    The password of each principal is in its folder, and is made where it is missing.
    """
    async with admin_client(settings.acting_as(SUPERUSER)) as admin:
        await ensure_log_topics(admin, settings)
        if settings.kafka is None and settings.topic_copies > 1:
            await raise_copies(admin, settings.topic_copies)
        await configure_topics(admin, settings)
        if settings.kafka_security.startswith("SASL"):
            await allow_principals(admin, settings)
        await update_agencies(admin, settings)


async def allow_principals(admin: AIOKafkaAdminClient, settings: Settings) -> None:
    """Create the platform's users with their rights, and end what those of earlier releases could do."""
    client = raw_client(admin)
    for principal in KAFKA_PRINCIPALS:
        secret = password(settings.secrets_folder / principal, "kafka")
        await create_scram_user(client, kafka_user(principal), secret)
    await create_acls(client, principal_rights(settings))
    # It could commit offsets for the groups of every agency.
    await delete_acls(client, kafka_user("reader"), Resource.GROUP)
    await delete_acls(client, FORMER_USER)
    await delete_scram_user(client, FORMER_USER)


async def allow_agency(admin: AIOKafkaAdminClient, settings: Settings, code: str, secret: str | None = None) -> None:
    """Create an agency's topics, its user's rights and quotas, and the user itself where a password is given."""
    await ensure_agency_topic(admin, code, settings)
    if code != PLATFORM:
        await ensure_triggers_topic(admin, code, settings)
    if settings.kafka_security.startswith("SASL"):
        if secret is not None:
            await create_scram_user(raw_client(admin), agency_user(code), secret)
        await create_acls(raw_client(admin), agency_rights(code, settings))
        await set_quotas(raw_client(admin), agency_user(code), agency_quotas(settings))


async def update_agencies(admin: AIOKafkaAdminClient, settings: Settings) -> None:
    """Give the agencies of an earlier release the topics and rights of this one. A suspended agency, which has no
    rights, gets none: they are given when it is resumed."""
    topics = set(await admin.list_topics())
    codes = sorted({agency_of(topic) for topic in topics if is_agency_topic(topic)} - {PLATFORM})
    for code in codes:
        if agency_triggers_topic(settings, code) not in topics:
            await ensure_triggers_topic(admin, code, settings)
    if settings.kafka_security.startswith("SASL"):
        client = raw_client(admin)
        writers = await _users_with_right(client, Resource.TOPIC, Operation.WRITE)
        readers = await _users_with_right(client, Resource.GROUP, Operation.READ)
        for code in codes:
            if agency_user(code) in writers - readers:
                await create_acls(client, agency_rights(code, settings))


async def _users_with_right(client: AIOKafkaClient, resource: Resource, operation: Operation) -> set[str]:
    """The users that may do this with some resource of this kind."""
    response = await _send(client, DescribeAclsRequest(resource, None, _ANY, None, None, operation, _ALLOW))
    _require(response.error_code, response.error_message, "the rights could not be read")
    return {acl[0].removeprefix("User:") for *_, acls in response.resources for acl in acls}


async def _send(client: AIOKafkaClient, request: Any) -> Any:
    return await send_repeatable(client, client.get_random_node(), request)


async def _until_led(admin: AIOKafkaAdminClient, name: str) -> None:
    """Wait until every partition has a leader: a new topic cannot be written for some milliseconds."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + TOPIC_VISIBLE_S
    while True:
        (topic,) = await admin.describe_topics([name])
        if topic["error_code"] == 0 and all(p["leader"] >= 0 for p in topic["partitions"]):
            return
        if clock() > deadline:
            raise KafkaRefused(f"topic {name} has no leader after {TOPIC_VISIBLE_S:.0f} s: are its brokers up?")
        await asyncio.sleep(0.02)


def _require(code: int, message: str | None, failure: str) -> None:
    """Raises `KafkaRefused` for a code of an error, with Kafka's reason."""
    if code == 0:
        return
    error: type[KafkaError] = for_code(code)
    if error in (ClusterAuthorizationFailedError, TopicAuthorizationFailedError):  # a message may be Java's request
        raise NoRight(f"{failure}: these credentials may not do that; unset YESSER_KAFKA_USER to act as the operator")
    raise KafkaRefused(f"{failure}: {error.__name__}" + (f" ({message})" if message else ""))
