"""A proven root is enough: what agencies' topics lost, or another catalogue, keeps no log from being recovered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from consumers.registrar import backlog
from consumers.registrar.recovery import recover as module
from consumers.registrar.recovery.recover import CannotRecover, Source, recover, topic_source
from consumers.registrar.topics.topic_admin import lift_halt, look_at
from events.faults.problems import CONFLICT
from events.validation.validate import validate
from events.validation.verdicts import Accepted, Agency, Refused
from infra.log.reader import log_size, read_tree
from infra.postgres.connection import Connection, connected
from infra.settings import Settings
from tests.integration.consumers.registrar.recovery.copied_log import Copied, copied, quiet, rows_of, sign_again
from tests.world.records import LABOUR, said
from tests.world.registrars import (
    copy_of_database,
    halts,
    registrar,
    second_home,
    until_read,
    until_shipped,
    until_size,
    until_topic_halted,
)
from tests.world.topics import HEALTH_TOPIC, LABOUR_TOPIC, drop_topic, remake_topic, send
from tests.world.waits import intervals, running

READ_OF_HEALTH = 42 + 4 * 33 + 2
"""Records of health's topic when the copied log ends."""


async def require_same_log(old: Copied, connection: Connection) -> None:
    """The copy has the same entries, ids, runs and refusals as the log that went on."""
    rows = await rows_of(connection)
    for table in ("event_id", "run", "refusal"):
        assert rows[table] == old.rows[table], table
    assert (await read_tree(connection, old.size)).root() == old.root


async def grow_again(settings: Settings, records: int) -> None:
    """Health's topic was created again, and has so many other records."""
    await remake_topic(settings, "health")
    await send(settings, HEALTH_TOPIC, *(said(f"x{i}") for i in range(records)))


async def require_recovered(old: Copied, copy: Settings, *, unsigned: bool = False) -> None:
    """The log comes back, and tells what health's topic lacks."""
    recovered = await recover(copy, topic_source(copy), quiet, unsigned=unsigned)
    assert (recovered.size, recovered.root) == (old.size, old.root)
    assert set(recovered.halted) == {HEALTH_TOPIC}
    assert recovered.lacking[HEALTH_TOPIC].records == 4 * 32 + 2
    assert recovered.lacking[HEALTH_TOPIC].duplicates >= 4
    async with connected(copy, "watching") as connection:
        await require_same_log(old, connection)


async def test_an_agencys_topic_that_lost_what_was_read_halts_alone(settings: Settings, tmp_path: Path) -> None:
    """A topic that is gone, is short, or grew again. Entries behind the signed root need one that confirms them, or a
    person."""
    async with copied(settings) as old:
        await drop_topic(settings, HEALTH_TOPIC)
        async with copy_of_database(old.settings) as copy:
            await require_recovered(old, copy)
        async with copy_of_database(old.settings) as copy:
            home = second_home(copy, tmp_path / "second")
            await drop_topic(settings, settings.checkpoints_topic)
            async with connected(home, "watching") as connection:
                await sign_again(home, connection, old.size_before)
            with pytest.raises(CannotRecover, match="--accept-unsigned"):
                await recover(home, topic_source(home), quiet)
            await require_recovered(old, home, unsigned=True)
        await grow_again(settings, 20)
        async with copy_of_database(old.settings) as copy:
            await require_recovered(old, copy)
        await grow_again(settings, READ_OF_HEALTH + 10)
        await require_recovered(old, old.settings)
        async with connected(old.settings, "watching") as connection, running(registrar(old.settings)):
            await send(settings, LABOUR_TOPIC, said("later", agency=LABOUR))
            await until_size(connection, old.size + 1)
            assert set(await halts(connection)) == {HEALTH_TOPIC}
            halted = await look_at(connection, old.settings, "health")
            assert (halted.next_offset, halted.is_restored) == (READ_OF_HEALTH, False)
            await lift_halt(connection, old.settings, "health", halted)
            await send(settings, HEALTH_TOPIC, said("m0.0", sequence=50), said("new"))
            await until_read(connection, HEALTH_TOPIC, READ_OF_HEALTH + 12)


async def test_after_an_unhalt_the_log_is_recovered_from_the_topic(settings: Settings) -> None:
    """The order in which it was found: a topic lost its tail, a person lifted the halt, the older copy came back."""
    async with copied(settings) as old:
        async with connected(settings, "watching") as connection, running(registrar(settings)):
            await grow_again(settings, 20)
            await until_topic_halted(connection, HEALTH_TOPIC)
            await lift_halt(connection, settings, "health", await look_at(connection, settings, "health"))
            await send(settings, HEALTH_TOPIC, said("after"), said("after"), b"{", said("end", sequence=900))
            await until_size(connection, old.size + 3)
            await until_shipped(connection, old.size + 3)
            root = (await read_tree(connection, old.size + 3)).root()
        recovered = await recover(old.settings, topic_source(old.settings), quiet)
        assert (recovered.size, recovered.root, recovered.halted) == (old.size + 3, root, {})
        async with connected(old.settings, "watching") as copy:
            async with running(registrar(old.settings)):
                await send(settings, HEALTH_TOPIC, said("goes on"))
                await until_size(copy, old.size + 4)
            assert await halts(copy) == {}
            assert await copy.fetchval("SELECT of_index FROM log.duplicate WHERE of_index >= $1", old.size) == old.size


async def test_a_recovery_that_was_stopped_goes_on_under_its_lease_and_changes_no_verdict_of_the_past(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was refused then, today's validation accepts. A second recovery says who works, and harms nothing."""

    def strict(value: bytes | None, headers: Any, agency: Agency) -> Accepted | Refused:
        verdict = validate(value, headers, agency)
        if isinstance(verdict, Accepted) and verdict.id.startswith("m1."):
            return Refused((CONFLICT,), claimed_source=agency.source, claimed_id=verdict.id)
        return verdict

    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(first: int) -> AsyncIterator[bytes]:
        begun.set()
        await go_on.wait()
        async for raw in topic_source(settings)(first):
            yield raw

    monkeypatch.setattr(backlog, "validate", strict)
    async with copied(settings) as old, connected(old.settings, "watching") as connection:
        monkeypatch.undo()
        assert sum(row["claimed_id"] is not None and row["claimed_id"].startswith("m1.") for row in old.rows["refusal"])
        monkeypatch.setattr(module, "CHUNK_ENTRIES", 16)
        for taken in (40, 90):
            with pytest.raises(ConnectionError):
                await recover(old.settings, breaking(topic_source(old.settings), taken), quiet)
        size = await log_size(connection)
        assert old.size_before < size < old.size
        hasty = old.settings.model_copy(update={"lease_ms": 500, "lease_renew_ms": 100})
        one = asyncio.create_task(recover(hasty, slow, quiet))
        await begun.wait()
        async with running(registrar(hasty)):
            await intervals(hasty.lease_ms)
            who = r"another recovery is running \(recover on .*, process \d+, [0-9a-f]{8}\)"
            with pytest.raises(CannotRecover, match=who):
                await recover(hasty, topic_source(hasty), quiet)
            go_on.set()
            recovered = await one
        assert (recovered.size_before, recovered.size, recovered.root) == (size, old.size, old.root)
        assert (recovered.halted, recovered.lacking) == ({}, {})
        await require_same_log(old, connection)
        assert (await rows_of(connection))["dead_letter"] == old.rows["dead_letter"]


def breaking(source: Source, taken: int) -> Source:
    """The source breaks when it is read for writing, after so many entries; the reading that verifies is whole."""
    readings = 0

    async def entries(first: int) -> AsyncIterator[bytes]:
        nonlocal readings
        readings += 1
        breaks = readings > 1
        given = 0
        async for raw in source(first):
            if breaks and given == taken:
                raise ConnectionError("the network went away")
            given += 1
            yield raw

    return entries
