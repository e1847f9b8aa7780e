"""kill -9 of an agency's relay and of Kafka, a relay that sleeps through its replacement: the log has every committed
event once, nothing else, and each subject in the order of the commits.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from events.wire.entry import parse_entry
from infra.log.reader import entry_batches, log_size
from infra.postgres.connection import connect
from infra.settings import Settings
from tests.faults.outbox_relays import (
    RelayProcess,
    agency_with_outbox,
    epoch,
    relay_process,
    sent_count,
    waiting_count,
)
from tests.integration.producers.outbox.agency_database import Writers, disorder
from tests.scenarios.figures import tell
from tests.scenarios.system import System, running_system
from tests.world.topics import HEALTH_TOPIC, records
from tests.world.waits import until

pytestmark = [pytest.mark.stack, pytest.mark.accept]

WRITERS = 6
TAKE_OVER_S = 10.0
PATIENCE_S = 60
TRANSACTIONS_MAX = 1_000_000
"""More than any proof takes time for."""


@contextmanager
def system_with_health(home: Path) -> Iterator[System]:
    """A system with one agency."""
    with running_system(home) as system:
        system.add_agencies([("health", "agency")])
        yield system


@asynccontextmanager
async def writing(agencys: Settings, seed: int) -> AsyncIterator[Writers]:
    """Transactions all the while; when the block ends they end, and everything is sent."""
    writers = Writers(agencys, seed, subjects=20)
    load = asyncio.create_task(writers.run(WRITERS, TRANSACTIONS_MAX))
    try:
        yield writers
        assert not load.done(), "the load ended too early"
    finally:
        writers.enough.set()
        await load
    await until(lambda: _nothing_waits(agencys), "everything is sent", 120)


async def _nothing_waits(agencys: Settings) -> bool:
    return await waiting_count(agencys) == 0


async def until_it_sends(agencys: Settings) -> None:
    """Wait until more is sent than now."""
    before = await sent_count(agencys)

    async def more() -> bool:
        return await sent_count(agencys) > before

    await until(more, "the relay sends", 120)


async def require_all_once_in_order(system: System, writers: Writers) -> None:
    """Compare the log with the transactions."""
    await asyncio.to_thread(system.settle)
    connection = await connect(system.settings, "judge", batch=True)
    try:
        raw = [raw async for _, batch in entry_batches(connection, 0, await log_size(connection)) for raw in batch]
    finally:
        await connection.close()
    entries = [entry for entry in map(parse_entry, range(len(raw)), raw) if entry.agency == "health"]
    order = [(entry.subject.removeprefix("initiative/"), entry.id) for entry in entries]
    assert disorder(writers.commits, order) == []
    again = len(await records(system.settings, HEALTH_TOPIC)) - len(order)
    tell(f"{len(writers.commits)} transactions, {len(order)} events in the log; {again} records were duplicates")


def test_a_standby_takes_over_and_a_relay_that_slept_through_it_does_no_harm(tmp_path: Path) -> None:
    with system_with_health(tmp_path / "home") as system:
        asyncio.run(_stop_and_continue(system, tmp_path))


async def _stop_and_continue(system: System, folder: Path) -> None:
    agencys = await agency_with_outbox(system)
    with (
        relay_process(system, agencys, folder / "first.log") as first,
        relay_process(system, agencys, folder / "second.log") as second,
    ):
        async with writing(agencys, 53) as writers:
            for turn in range(4):
                if turn == 2:
                    system.kill("kafka")
                owner = await _owner(agencys, first, second)
                woken = _times_superseded(owner)
                with asleep(owner):
                    await until_taken_over(agencys, "SIGSTOP")
                    await until_it_sends(agencys)
                await until(lambda o=owner, w=woken: _superseded(o, w), "it stands by", PATIENCE_S)  # type: ignore[misc]
            owner = await _owner(agencys, first, second)
            owner.kill()
            await until_taken_over(agencys, "kill -9")
            await until_it_sends(agencys)
            owner.start_again()
            other = second if owner is first else first
            await asyncio.to_thread(other.stop)
            await until_it_sends(agencys)
    await require_all_once_in_order(system, writers)


@contextmanager
def asleep(relay: RelayProcess) -> Iterator[None]:
    """SIGSTOP, and SIGCONT when the block ends."""
    relay.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        relay.signal(signal.SIGCONT)


async def until_taken_over(agencys: Settings, after: str) -> None:
    """The owner has just been stopped: another one has to take over in time."""
    before = await epoch(agencys)

    async def taken() -> bool:
        return await epoch(agencys) > before

    began = time.monotonic()
    await until(taken, "another relay takes over", PATIENCE_S)
    seconds = time.monotonic() - began
    tell(f"outbox relay: taken over {seconds:.1f} s after {after}")
    assert seconds < TAKE_OVER_S


async def _owner(agencys: Settings, *relays: RelayProcess) -> RelayProcess:
    """Who works: whose last epoch is the one of the lease."""
    found: list[RelayProcess] = []

    async def one_works() -> bool:
        now = await epoch(agencys)
        found[:] = [relay for relay in relays if relay.epochs()[-1:] == [now]]
        return len(found) == 1

    await until(one_works, "one relay works", PATIENCE_S)
    return found[0]


def _times_superseded(relay: RelayProcess) -> int:
    """How often it said that another took over, or that the database had ended its session."""
    said = [str(line.get("event")) for line in relay.lines()]
    return sum("took over" in words or "waiting to try again" in words for words in said)


async def _superseded(relay: RelayProcess, times_before: int) -> bool:
    return _times_superseded(relay) > times_before
