"""Leader election on a real PostgreSQL: who works, who stands by, and what ends a term."""

from __future__ import annotations

import asyncio
import os
import time

import pytest

from events.errors import Halt, Retry, YesserError
from infra.postgres.connection import Connection, connect
from infra.process import leader_election
from infra.process.health import Progress
from infra.process.leader_election import LeaderElection, Term, Work
from infra.process.lease import LeaseSpec
from infra.settings import Settings
from tests.world.waits import running, until

SHORT = {
    "lease_ms": 600,
    "lease_renew_ms": 100,
    "retry_wait_min_ms": 10,
    "retry_wait_max_ms": 50,
    "halted_retry_ms": 100,
}
MANY_LEASES_S = 2.0
TAKEN_OVER = (
    "UPDATE platform.lease SET epoch = epoch + 1, owner = 'another', "
    "expires_at = clock_timestamp() + interval '1 minute'"
)


@pytest.fixture
def short(settings: Settings) -> Settings:
    """Settings with a lease that is over soon."""
    return settings.model_copy(update=SHORT)


def election(settings: Settings, work: Work, name: str = "some role") -> LeaderElection:
    spec = LeaseSpec(name, lambda application: connect(settings, application))
    return LeaderElection(settings, spec, work, Progress(time.monotonic))


async def work_until_stop(term: Term) -> None:
    await term.stop.wait()


async def test_one_leads_and_the_other_takes_over_when_it_stops(short: Settings) -> None:
    first, second = election(short, work_until_stop), election(short, work_until_stop)
    async with running(second):
        async with running(first):
            await until(lambda: (first.epoch is None) != (second.epoch is None), "one leads")
            await asyncio.sleep(2 * short.lease_ms / 1000)
            assert (first.epoch is None) != (second.epoch is None), "the lease is renewed"
            assert first.progress.standby != second.progress.standby
        await until(lambda: second.epoch is not None, "the second one leads")
        assert not second.progress.standby


async def test_a_batch_that_holds_the_event_loop_up_does_not_cost_the_lease_and_a_loop_that_hangs_gives_it_up(
    short: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    terms: list[int] = []

    async def work(term: Term) -> None:
        terms.append(term.epoch)
        if term.epoch == 1:
            time.sleep(MANY_LEASES_S)  # noqa: ASYNC251  as a batch of costly records would
        await term.stop.wait()

    async with running(election(short, work)):
        await until(lambda: terms, "it leads")
        await asyncio.sleep(short.lease_ms / 1000)
        assert terms == [1]
    terms.clear()
    monkeypatch.setattr(leader_election, "LOOP_STALLED_S", 0.3)
    async with running(election(short, work, "another role")):
        await until(lambda: terms == [1, 2], "it leads again")


async def test_who_lost_stands_by_and_its_connections_are_cut(short: Settings, connection: Connection) -> None:
    waiting = asyncio.Event()
    ended: list[BaseException] = []

    async def work(term: Term) -> None:
        async with term.connected(short, "work") as own:
            waiting.set()
            try:
                await own.execute("SELECT pg_sleep(60)")
            except BaseException as error:
                ended.append(error)
                raise

    candidate = election(short, work)
    async with running(candidate):
        await waiting.wait()
        await connection.execute(TAKEN_OVER)
        await until(lambda: ended, "the connection of its work is cut")
        await until(lambda: candidate.progress.standby, "it stands by")
        assert candidate.epoch is None

    async def halting(_: Term) -> None:
        await connection.execute(TAKEN_OVER)
        raise Halt("the topic holds more than the database")

    candidate = election(short, halting, "another role")
    async with running(candidate):
        await until(lambda: candidate.progress.standby, "it stands by")
        assert candidate.progress.halted is None, "a halt of a superseded owner is none"


def failing(error: Exception, times: int, seen: list[int]) -> Work:
    """Work that fails so many times and then waits for its stop."""

    async def work(term: Term) -> None:
        seen.append(term.epoch)
        if len(seen) <= times:
            raise error
        await term.stop.wait()

    return work


async def test_an_outage_is_retried_a_halt_is_told_and_what_people_mend_ends_a_process(short: Settings) -> None:
    for error in (Retry("cut off"), ConnectionResetError("reset")):
        seen: list[int] = []
        async with running(election(short, failing(error, 2, seen), str(error))):
            await until(lambda seen=seen: len(seen) == 3, f"it works after {error}")  # type: ignore[misc]

    seen = []
    candidate = election(short, failing(Halt("the log was cut"), 1, seen))
    async with running(candidate):
        await until(lambda: candidate.progress.halted == "the log was cut", "it halts")
        assert not candidate.progress.readiness().ready
        await until(lambda: len(seen) == 2, "it works again")
        candidate.moved()
        assert candidate.progress.halted is None

    with pytest.raises(YesserError, match="no key"):
        await election(short, failing(YesserError("no key"), 1, []), "mend").run(asyncio.Event())
    with pytest.raises(SystemExit) as end:
        await election(short, failing(KeyError("bug"), 1, []), "bug").run(asyncio.Event())
    assert end.value.code == os.EX_SOFTWARE
