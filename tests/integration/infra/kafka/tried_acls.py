"""Tries, as each of the platform's Kafka users, everything that can be done with each kind of topic."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError
from aiokafka.protocol.fetch import FetchRequest

from infra.kafka.admin import (
    KafkaRefused,
    admin_client,
    create_acls,
    create_scram_user,
    delete_acls,
    ensure_agency_topic,
    ensure_topic,
)
from infra.kafka.client_config import agency_topic, agency_triggers_topic, client_arguments
from infra.kafka.clients import raw_client
from infra.kafka.rights import Operation, Resource, Right, principal_rights
from infra.principals import KAFKA_PRINCIPALS
from infra.secret_files import write_private
from infra.settings import Settings

OPERATIONS: Final = {
    "read": Operation.READ,
    "write": Operation.WRITE,
    "see": Operation.DESCRIBE,
    "create": Operation.CREATE,
    "delete": Operation.DELETE,
    "alter": Operation.ALTER,
}
CLUSTER: Final = "users and rights"
"""The row of what is no topic: changing passwords and rights."""
PREFIX: Final = "tried-"

Tried = dict[tuple[str, str], tuple[str, ...]]
"""(principal, topic) → the operations that succeeded."""


def topics_of(settings: Settings) -> dict[str, str]:
    """What each topic is → its name in this test."""
    return {
        "yesser.log": settings.log_topic,
        "yesser.checkpoints": settings.checkpoints_topic,
        "yesser.texts": settings.texts_topic,
        "yesser.campaign-triggers": settings.triggers_topic,
        "yesser.campaign-triggers.<code>": agency_triggers_topic(settings, "moi"),
        "agency.<code>.events": agency_topic("moi"),
        "agency.platform.events": agency_topic("platform"),
    }


async def tried(settings: Settings) -> Tried:
    """What each principal may do. Users of the same rights are made for it, since those of tests see all corners."""
    rights = [replace(right, user=PREFIX + right.user) for right in principal_rights(settings)]
    topics = topics_of(settings)
    found: Tried = {}
    async with admin_client(settings) as admin:
        for code in ("moi", "platform"):
            await ensure_agency_topic(admin, code, settings)
        for name in topics.values():
            await ensure_topic(admin, name, {})
        await create_acls(raw_client(admin), rights)
        for principal in KAFKA_PRINCIPALS:
            await _make_user(admin, settings, PREFIX + principal)
        try:
            for principal in KAFKA_PRINCIPALS:
                found |= await _tried_as(settings.acting_as(PREFIX + principal), principal, topics)
        finally:
            for principal in KAFKA_PRINCIPALS:
                await delete_acls(raw_client(admin), PREFIX + principal)
    return found


async def _make_user(admin: AIOKafkaAdminClient, settings: Settings, user: str) -> None:
    password = secrets.token_hex(16)
    await create_scram_user(raw_client(admin), user, password)
    path = settings.secret_path("kafka", user)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    write_private(path, password)


async def _tried_as(settings: Settings, principal: str, topics: dict[str, str]) -> Tried:
    producer = AIOKafkaProducer(**client_arguments(settings), acks="all")
    await producer.start()
    try:
        async with admin_client(settings) as admin:
            found: Tried = {}
            for what, topic in topics.items():
                may = [name for name, right in OPERATIONS.items() if await _may(right, topic, admin, producer)]
                found[principal, what] = tuple(may)
            administers = await _may_administer(raw_client(admin), settings.principal)
            return found | {(principal, CLUSTER): ("alter",) if administers else ()}
    finally:
        await producer.stop()


async def _may(operation: Operation, topic: str, admin: AIOKafkaAdminClient, producer: AIOKafkaProducer) -> bool:
    client, refused = raw_client(admin), TopicAuthorizationFailedError.errno
    match operation:
        case Operation.READ:
            request = FetchRequest(100, 1, 1 << 20, 0, [(topic, [(0, 0, 1 << 20)])])
            ((_, ((_, code, *_),)),) = (await client.send(client.get_random_node(), request)).topics
        case Operation.WRITE:
            try:
                await producer.send_and_wait(topic, b"{}", partition=0)
            except TopicAuthorizationFailedError:
                return False
            return True
        case Operation.DESCRIBE:
            code = (await admin.describe_topics([topic]))[0]["error_code"]
        case Operation.CREATE:  # one that exists: the right is looked at first
            code = (await admin.create_topics([NewTopic(topic, 1, 1)])).topic_errors[0][1]
        case Operation.DELETE:
            code = (await admin.delete_topics([topic])).topic_error_codes[0][1]
            if code == 0:
                await ensure_topic(admin, topic, {})
        case _:
            try:
                await admin.create_partitions({topic: NewPartitions(2)}, validate_only=True)
            except TopicAuthorizationFailedError:
                return False
            return True
    return bool(code != refused)


async def _may_administer(client: AIOKafkaClient, user: str) -> bool:
    """Whether the user may change passwords and rights. A right of its own is given twice, which changes nothing."""
    answers = []
    for attempt in (
        create_acls(client, [Right(user, Resource.TOPIC, "tried.", (Operation.READ,))]),
        create_scram_user(client, "tried", "tried"),
    ):
        try:
            await attempt
            answers.append(True)
        except (KafkaRefused, KafkaError):
            answers.append(False)
    assert len(set(answers)) == 1, answers
    return answers[0]


def expected(settings: Settings) -> Tried:
    """What the table of rights says."""
    rights = principal_rights(settings)
    found: Tried = {}
    for principal in KAFKA_PRINCIPALS:
        own = [right for right in rights if right.user == principal]
        for what, topic in topics_of(settings).items():
            found[principal, what] = tuple(name for name, op in OPERATIONS.items() if _granted(own, topic, op))
        cluster = any(r.resource is Resource.CLUSTER and Operation.ALTER in r.operations for r in own)
        found[principal, CLUSTER] = ("alter",) if cluster else ()
    return found


def _granted(own: Sequence[Right], topic: str, operation: Operation) -> bool:
    about = [
        right
        for right in own
        if right.resource is Resource.TOPIC and operation in right.operations and topic.startswith(right.prefix or "")
    ]
    return bool(about) and not any(right.denied for right in about)
