"""Leader election on a real PostgreSQL: who works, who stands by, and what ends a term."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from events.errors import Halt, Retry, YesserError
from infra.postgres.connection import Connection, connect
from infra.process import lease_renewal
from infra.process.health import Progress
from infra.process.leader_election import LeaderElection, Term, Work
from infra.process.lease import LeaseSpec
from infra.settings import Settings

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


@asynccontextmanager
async def running(candidate: LeaderElection) -> AsyncIterator[asyncio.Task[None]]:
    """The candidate runs for the length of a `with`, and is then stopped."""
    stop = asyncio.Event()
    task = asyncio.create_task(candidate.run(stop))
    try:
        yield task
    finally:
        stop.set()
        with suppress(Exception, SystemExit):
            async with asyncio.timeout(5):
                await task


async def until(condition: Callable[[], bool], timeout_s: float = 5) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def work_until_stop(term: Term) -> None:
    await term.stop.wait()


async def test_one_leads_and_the_other_takes_over_when_it_stops(short: Settings) -> None:
    first, second = election(short, work_until_stop), election(short, work_until_stop)
    async with running(second):
        async with running(first):
            await until(lambda: (first.epoch is None) != (second.epoch is None))
            await asyncio.sleep(2 * short.lease_ms / 1000)
            assert (first.epoch is None) != (second.epoch is None), "the lease is renewed"
            assert first.progress.standby != second.progress.standby
        await until(lambda: second.epoch is not None)
        assert not second.progress.standby


async def test_a_batch_that_holds_the_event_loop_up_does_not_cost_the_lease(short: Settings) -> None:
    terms: list[int] = []

    async def work(term: Term) -> None:
        terms.append(term.epoch)
        time.sleep(MANY_LEASES_S)  # noqa: ASYNC251  as a batch of costly records would
        await term.stop.wait()

    async with running(election(short, work)):
        await until(lambda: bool(terms))
        await asyncio.sleep(short.lease_ms / 1000)
        assert terms == [1]


async def test_an_event_loop_that_hangs_gives_its_lease_up(short: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease_renewal, "LOOP_STALLED_S", 0.3)
    terms: list[int] = []

    async def work(term: Term) -> None:
        terms.append(term.epoch)
        if term.epoch == 1:
            time.sleep(MANY_LEASES_S)  # noqa: ASYNC251
        await term.stop.wait()

    async with running(election(short, work)):
        await until(lambda: terms == [1, 2], timeout_s=10)


async def test_who_was_superseded_stands_by(short: Settings, connection: Connection) -> None:
    candidate = election(short, work_until_stop)
    async with running(candidate):
        await until(lambda: candidate.epoch is not None)
        await connection.execute(TAKEN_OVER)
        await until(lambda: candidate.progress.standby)
        assert candidate.epoch is None


async def test_a_connection_of_the_work_is_cut_when_the_lease_is_lost(short: Settings, connection: Connection) -> None:
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

    async with running(election(short, work)):
        await waiting.wait()
        await connection.execute(TAKEN_OVER)
        await until(lambda: bool(ended))


def failing(error: Exception, times: int, seen: list[int]) -> Callable[[Term], Awaitable[None]]:
    """Work that fails so many times and then waits for its stop."""

    async def work(term: Term) -> None:
        seen.append(term.epoch)
        if len(seen) <= times:
            raise error
        await term.stop.wait()

    return work


async def test_a_halt_of_a_superseded_owner_is_none(short: Settings, connection: Connection) -> None:
    async def work(_: Term) -> None:
        await connection.execute(TAKEN_OVER)
        raise Halt("the topic holds more than the database")

    candidate = election(short, work)
    async with running(candidate):
        await until(lambda: candidate.progress.standby)
        assert candidate.progress.halted is None


@pytest.mark.parametrize("error", [Retry("cut off"), ConnectionResetError("reset")])
async def test_a_transient_error_is_retried(short: Settings, error: Exception) -> None:
    seen: list[int] = []
    async with running(election(short, failing(error, 2, seen))):  # type: ignore[arg-type]
        await until(lambda: len(seen) == 3)


async def test_a_halt_is_reported_until_work_moves_again(short: Settings) -> None:
    seen: list[int] = []
    candidate = election(short, failing(Halt("the log was cut"), 1, seen))  # type: ignore[arg-type]
    async with running(candidate):
        await until(lambda: candidate.progress.halted == "the log was cut")
        assert not candidate.progress.readiness().ready
        await until(lambda: len(seen) == 2)
        candidate.moved()
        assert candidate.progress.halted is None


async def test_what_a_person_must_mend_is_raised_as_it_is(short: Settings) -> None:
    candidate = election(short, failing(YesserError("no key"), 1, []))  # type: ignore[arg-type]
    with pytest.raises(YesserError, match="no key"):
        await candidate.run(asyncio.Event())


async def test_a_bug_ends_the_process(short: Settings) -> None:
    candidate = election(short, failing(KeyError("bug"), 1, []))  # type: ignore[arg-type]
    with pytest.raises(SystemExit) as end:
        await candidate.run(asyncio.Event())
    assert end.value.code == os.EX_SOFTWARE
