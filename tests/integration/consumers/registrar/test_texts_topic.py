"""Free texts on the real Kafka: there before their entries whatever is killed, brought back by a recovery, and gone
once they are withheld."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Final

from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from consumers.proof.database_audit.database import compare_database
from consumers.registrar.recovery.recover import recover, topic_source
from consumers.registrar.topics.texts_topic import TextsTopic, read_texts, text_key, text_of
from infra.kafka.admin import admin_client, own_config
from infra.kafka.clients import producing
from infra.log.ports.bundle_texts import TextKey
from infra.log.reader import log_size, read_checked
from infra.log.texts import with_texts
from infra.postgres.connection import Connection, connected
from infra.settings import Settings
from tests.integration.consumers.registrar.recovery.copied_log import quiet, rows_of
from tests.world.logs_with_texts import service_suspended
from tests.world.records import withheld
from tests.world.registrars import (
    copy_of_database,
    found,
    registrar,
    require_consistent,
    require_whole_log,
    until_shipped,
    until_size,
)
from tests.world.topics import HEALTH_TOPIC, PLATFORM_TOPIC, drop_topic, send
from tests.world.waits import running, until

KILLED: Final = """
import os, signal, sys
from consumers.registrar.topics.texts_topic import TextsTopic
from infra.cli import cli

point, mark, send = sys.argv[1], sys.argv[2].encode(), TextsTopic.send

async def send_or_die(self, producer, records):
    is_meant = any(mark in (record.value or record.key) for record in records)
    if is_meant and point.startswith("before"):
        os.kill(os.getpid(), signal.SIGKILL)
    await send(self, producer, records)
    if is_meant:
        os.kill(os.getpid(), signal.SIGKILL)

TextsTopic.send = send_or_die
sys.argv[1:] = ["run", "registrar"]
cli()
"""
"""A registrar that is killed between a commit and the end of its shipping."""
LEASE: Final = {"lease_ms": 1_000, "lease_renew_ms": 200}


async def texts_in(settings: Settings) -> dict[TextKey, str | None]:
    """The last record of each key in the topic: a text, or that it is deleted."""
    last: dict[TextKey, str | None] = {}
    async for records in read_texts(settings):
        for record in records:
            key = text_key(record)
            assert key is not None
            text = None if record.value is None else text_of(record.value)
            last[key] = None if text is None else text.written.decode()
    return last


async def texts_of(connection: Connection) -> dict[TextKey, str | None]:
    """What the topic should have, by the database."""
    rows = await connection.fetch("SELECT index, member, CASE WHEN salt IS NOT NULL THEN value END FROM log.text")
    return {(index, member): value for index, member, value in rows}


async def until_as_the_log(settings: Settings, connection: Connection) -> None:
    """Every entry is shipped, and the topic of texts is as the database."""
    await require_whole_log(settings, connection)

    async def is_equal() -> bool:
        return await texts_in(settings) == await texts_of(connection)

    await until(is_equal, "the topic has every text, and deletes what is withheld")


async def test_a_registrar_that_is_killed_between_commit_and_shipping_loses_no_text_and_leaves_none_that_is_withheld(
    settings: Settings, connection: Connection, environment: Callable[..., dict[str, str]]
) -> None:
    hasty = settings.model_copy(update=LEASE)
    await found(hasty, "health")
    async with running(registrar(hasty)):
        await send(hasty, HEALTH_TOPIC, service_suspended("first", "Sara"))
        await until_size(connection, 4)
    variables = environment(**{f"YESSER_{name.upper()}": str(value) for name, value in LEASE.items()})
    for point in ("before a text", "behind a text", "before a deletion", "behind a deletion"):
        size = await log_size(connection)
        if point.endswith("text"):
            mark = f"Huda {point}"
            await send(hasty, HEALTH_TOPIC, service_suspended(point.replace(" ", "-"), mark))
        else:
            index = await connection.fetchval("SELECT max(index) FROM log.text WHERE salt IS NOT NULL")
            mark = f"{index}/reason"
            await send(hasty, PLATFORM_TOPIC, withheld(index, "reason"))
        command = [sys.executable, "-P", "-c", KILLED, point, mark]
        killed = await asyncio.to_thread(subprocess.run, command, env=variables, capture_output=True, timeout=60)
        assert killed.returncode == -signal.SIGKILL, (point, killed.stderr.decode())
        behind = await connection.fetchrow("SELECT size, shipped_up_to < size AS is_behind FROM log.state")
        assert behind is not None
        assert tuple(behind) == (size + 1, True), point
        async with running(registrar(hasty)):
            await until_shipped(connection, size + 1)
            await until_as_the_log(hasty, connection)
    assert sum(text is None for text in (await texts_in(hasty)).values()) == 2, "of three"
    await require_consistent(connection, hasty)


async def test_a_lost_database_gets_its_texts_back_and_not_what_was_withheld(settings: Settings) -> None:
    """Even where a former owner of the lease has sent it once more."""
    async with copy_of_database(settings) as empty:
        await found(settings, "health")
        async with connected(settings, "watching") as watching, running(registrar(settings)):
            await send(settings, HEALTH_TOPIC, *(service_suspended(f"e{i}", f"Sara {i}") for i in range(5)))
            await until_size(watching, 8)
            text = next(iter(await texts_of(watching)))
            late = [record async for records in read_texts(settings) for record in records if text_key(record) == text]
            await send(settings, PLATFORM_TOPIC, withheld(*text))
            await send(settings, HEALTH_TOPIC, service_suspended("e1", "Sara 1"), service_suspended("e1", "Huda"))
            await until_size(watching, 10)
            await until_as_the_log(settings, watching)
            rows, size = await rows_of(watching), await log_size(watching)
        async with producing(settings) as producer:
            await TextsTopic(settings).send(producer, late)
        assert (await texts_in(settings))[text] is not None
        recovered = await recover(empty, topic_source(empty), quiet)
        assert (recovered.size_before, recovered.size, recovered.lost_texts) == (0, size, 0)
        async with connected(empty, "watching") as watching:
            assert (await rows_of(watching))["text"] == rows["text"]
            assert (await rows_of(watching))["event_id"] == rows["event_id"]
            async with running(registrar(empty)):
                await until_as_the_log(empty, watching)
                await send(empty, HEALTH_TOPIC, service_suspended("e2", "Sara 2"), service_suspended("e0", "another"))
                duplicates = "SELECT array_agg(of_index ORDER BY of_index) FROM log.duplicate"
                wanted = [text[0], text[0] + 1, text[0] + 2]
                await until(
                    lambda: is_found(watching, duplicates, wanted), "repeats are known, and a text is not compared"
                )


async def is_found(connection: Connection, query: str, wanted: object) -> bool:
    return bool(await connection.fetchval(query) == wanted)


async def test_a_topic_that_is_lost_is_filled_again_and_one_that_is_lost_with_the_database_is_told(
    settings: Settings,
) -> None:
    async with copy_of_database(settings) as empty:
        await found(settings, "health")
        async with connected(settings, "watching") as watching, running(registrar(settings)):
            await send(settings, HEALTH_TOPIC, service_suspended("a", "Sara"), service_suspended("b", "Huda"))
            await until_size(watching, 5)
            await send(settings, PLATFORM_TOPIC, withheld(4, "reason"))
            await until_size(watching, 6)
            await until_as_the_log(settings, watching)
            await drop_topic(settings, settings.texts_topic)
            await until_as_the_log(settings, watching)
        await drop_topic(settings, settings.texts_topic)
        async with connected(settings, "watching") as watching:
            async with running(registrar(settings)):
                await until_as_the_log(settings, watching)
            await drop_topic(settings, settings.texts_topic)
        recovered = await recover(empty, topic_source(empty), quiet)
        assert (recovered.size, recovered.lost_texts) == (6, 1)
        async with connected(empty, "watching") as watching:
            shown = await with_texts(watching, await read_checked(watching, 3, 2))
            assert b'"en":"This text is lost."' in shown[0]
            assert b"by entry 5." in shown[1]
            async with watching.transaction(isolation="repeatable_read", readonly=True):
                compared = await compare_database(watching, recovered.size, lambda done, total: None)
            assert compared.rows["log.text"] == 2, "no difference"


async def test_what_is_withheld_is_removed_from_the_disk_of_the_broker(settings: Settings) -> None:
    """With shorter times than ours: the order of things is the same."""
    await found(settings, "health")
    async with admin_client(settings) as admin:
        quick = {"segment.ms": "500", "max.compaction.lag.ms": "1000"}
        configs = {**await own_config(admin, settings.texts_topic), **quick}
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, settings.texts_topic, configs=configs)])
    async with connected(settings, "watching") as watching:
        async with running(registrar(settings)):
            await send(settings, HEALTH_TOPIC, service_suspended("a", "Sara"), service_suspended("b", "Huda"))
            await until_size(watching, 5)
            await send(settings, PLATFORM_TOPIC, withheld(3, "reason"))
            await until_size(watching, 6)
            await until_as_the_log(settings, watching)
        # What closes the segment: as every few hours, and at a take-over.
        async with running(registrar(settings)):

            async def is_gone() -> bool:
                values = [record.value async for records in read_texts(settings) for record in records]
                assert any(b"Huda" in (value or b"") for value in values)
                return not any(b"Sara" in (value or b"") for value in values)

            await until(is_gone, "the text is compacted away", 60.0, every_s=0.5)
            await until_as_the_log(settings, watching)
