"""A proven root is enough: what agencies' topics lost, or another catalogue, keeps no log from being recovered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from consumers.registrar import backlog
from consumers.registrar.recovery import source
from consumers.registrar.recovery.recover import recover
from consumers.registrar.recovery.source import CannotRecover, Source, topic_source
from consumers.registrar.topic_admin import lift_halt, look_at
from events.faults.problems import CONFLICT
from events.validation.validate import validate
from events.validation.verdicts import Accepted, Agency, Refused
from infra.log.reader import log_size, read_tree
from infra.postgres.connection import Connection, connected
from infra.settings import Settings
from tests.integration.consumers.registrar.recovery.copied_log import Copied, copied, quiet, rows_of, sign_again
from tests.world.records import LABOUR, said
from tests.world.registrars import halts, registrar, until_read, until_shipped, until_size, until_topic_halted
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


async def lose(settings: Settings, how: str) -> None:
    """What happens to health's topic before the recovery."""
    if how == "is gone":
        await drop_topic(settings, HEALTH_TOPIC)
        return
    await remake_topic(settings, "health")
    count = {"is short": 20, "grew again": READ_OF_HEALTH + 10}[how]
    await send(settings, HEALTH_TOPIC, *(said(f"x{i}") for i in range(count)))


@pytest.mark.parametrize("how", ["is gone", "is short", "grew again"])
async def test_an_agencys_topic_that_lost_what_was_read_is_reported_and_halts_alone(
    settings: Settings, how: str
) -> None:
    async with copied(settings) as old, connected(old.settings, "watching") as connection:
        await lose(settings, how)
        recovered = await recover(old.settings, topic_source(old.settings), quiet)
        assert (recovered.size, recovered.root) == (old.size, old.root)
        assert set(recovered.halted) == {HEALTH_TOPIC}
        assert recovered.lacking[HEALTH_TOPIC].records == 4 * 32 + 2
        assert recovered.lacking[HEALTH_TOPIC].duplicates >= 4
        await require_same_log(old, connection)
        async with running(registrar(old.settings)):
            await send(settings, LABOUR_TOPIC, said("later", agency=LABOUR))
            await until_size(connection, old.size + 1)
            assert set(await halts(connection)) == {HEALTH_TOPIC}
            halted = await look_at(connection, old.settings, "health")
            assert (halted.next_offset, halted.is_restored) == (READ_OF_HEALTH, False)
            await lift_halt(connection, old.settings, "health", halted)
            await send(settings, HEALTH_TOPIC, said("m0.0", sequence=50), said("new"))
            await until_read(connection, HEALTH_TOPIC, READ_OF_HEALTH + (12 if how == "grew again" else 2))


async def test_after_an_unhalt_the_log_is_recovered_from_the_topic(settings: Settings) -> None:
    """The order in which it was found: a topic lost its tail, a person lifted the halt, the older copy came back."""
    async with copied(settings) as old:
        async with connected(settings, "watching") as connection, running(registrar(settings)):
            await remake_topic(settings, "health")
            await send(settings, HEALTH_TOPIC, *(said(f"x{i}") for i in range(20)))
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


async def test_a_catalogue_that_allows_more_changes_no_verdict_of_the_past(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was refused then, today's validation accepts."""

    def strict(value: bytes | None, headers: Any, agency: Agency) -> Accepted | Refused:
        verdict = validate(value, headers, agency)
        if isinstance(verdict, Accepted) and verdict.id.startswith("m1."):
            return Refused((CONFLICT,), claimed_source=agency.source, claimed_id=verdict.id)
        return verdict

    monkeypatch.setattr(backlog, "validate", strict)
    async with copied(settings) as old:
        monkeypatch.undo()
        assert sum(row["claimed_id"] is not None and row["claimed_id"].startswith("m1.") for row in old.rows["refusal"])
        recovered = await recover(old.settings, topic_source(old.settings), quiet)
        assert (recovered.size, recovered.root, recovered.halted, recovered.lacking) == (old.size, old.root, {}, {})
        async with connected(old.settings, "watching") as connection:
            await require_same_log(old, connection)


async def test_a_recovery_that_was_stopped_goes_on_when_it_is_called_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "CHUNK_ENTRIES", 16)
    async with copied(settings) as old, connected(old.settings, "watching") as connection:
        for taken in (40, 90):
            with pytest.raises(ConnectionError):
                await recover(old.settings, breaking(topic_source(old.settings), taken), quiet)
        size = await log_size(connection)
        assert old.size_before < size < old.size
        recovered = await recover(old.settings, topic_source(old.settings), quiet)
        assert (recovered.size_before, recovered.size, recovered.root) == (size, old.size, old.root)
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


async def test_a_recovery_keeps_its_lease_and_a_second_one_says_who_works_and_harms_nothing(settings: Settings) -> None:
    async with copied(settings) as old:
        hasty = old.settings.model_copy(update={"lease_ms": 500, "lease_renew_ms": 100})
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def slow(first: int) -> AsyncIterator[bytes]:
            begun.set()
            await go_on.wait()
            async for raw in topic_source(hasty)(first):
                yield raw

        one = asyncio.create_task(recover(hasty, slow, quiet))
        await begun.wait()
        async with running(registrar(hasty)):
            await intervals(hasty.lease_ms)
            who = r"another recovery is running \(recover on .*, process \d+, [0-9a-f]{8}\)"
            with pytest.raises(CannotRecover, match=who):
                await recover(hasty, topic_source(hasty), quiet)
            go_on.set()
            assert (await one).root == old.root


async def test_entries_behind_the_signed_root_need_a_topic_that_confirms_them_or_a_person(settings: Settings) -> None:
    async with copied(settings) as old, connected(old.settings, "watching") as connection:
        await sign_again(old.settings, connection, old.size_before)
        await drop_topic(settings, settings.checkpoints_topic)
        await lose(settings, "is gone")
        with pytest.raises(CannotRecover, match="--accept-unsigned"):
            await recover(old.settings, topic_source(old.settings), quiet)
        recovered = await recover(old.settings, topic_source(old.settings), quiet, unsigned=True)
        assert (recovered.size, recovered.root) == (old.size, old.root)
        await require_same_log(old, connection)
