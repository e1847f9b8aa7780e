"""Work in several tasks ends together and loses no error."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from infra.process import tasks
from infra.process.tasks import (
    Interrupted,
    TaskFailed,
    TimeSlice,
    pause,
    stray_cancellation_as_error,
    until_one_ends,
    watch_tasks,
)
from tests.virtual_time import virtual
from tests.world.processes import Clock


class Bug(Exception):
    pass


class Endless:
    """Work that ends only by a cancellation; the first ones may get lost."""

    def __init__(self, cancellations_lost: int = 0) -> None:
        self._left = cancellations_lost
        self.has_ended = False

    async def run(self) -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self._left -= 1
                if self._left < 0:
                    await asyncio.sleep(0)
                    self.has_ended = True
                    raise


async def _fail(error: Exception | None = None) -> None:
    raise error or Bug


@virtual
async def test_the_others_are_cancelled_and_waited_for_when_one_returns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "CANCEL_AGAIN_S", 0.01)
    first, second = Endless(), Endless(cancellations_lost=1)
    await until_one_ends(first.run(), asyncio.sleep(0), second.run())
    assert first.has_ended
    assert second.has_ended, "a cancellation that a library loses is repeated"


@virtual
async def test_of_several_errors_the_first_in_the_list_is_raised_and_a_cancellation_from_outside_ends_all() -> None:
    with pytest.raises(Bug):
        await until_one_ends(Endless().run(), _fail())
    with pytest.raises(ZeroDivisionError):
        await until_one_ends(_fail(ZeroDivisionError()), _fail())
    work = Endless()
    task = asyncio.create_task(until_one_ends(work.run()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert work.has_ended


@virtual
async def test_a_pause_ends_with_its_time_and_with_its_event_and_stays_cancelled_as_that_comes() -> None:
    event = asyncio.Event()
    await pause(event, 0.001)
    task = asyncio.create_task(pause(event, 3600))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    event.set()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await pause(event, 3600)


async def _cancelled_by_its_library() -> None:
    raise asyncio.CancelledError


@virtual
async def test_a_cancellation_that_nobody_asked_for_is_an_error_that_passes_and_one_that_was_stays_one() -> None:
    with pytest.raises(Interrupted):
        await until_one_ends(asyncio.Event().wait(), _cancelled_by_its_library())
    with pytest.raises(Interrupted), stray_cancellation_as_error():
        await _cancelled_by_its_library()

    async def work() -> None:
        with stray_cancellation_as_error():
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@virtual
async def test_a_task_that_fails_and_is_kept_by_somebody_who_does_not_look_is_seen() -> None:
    failed = watch_tasks(unseen_after_s=0.01)
    kept = asyncio.create_task(_fail(), name="a writer")
    with pytest.raises(TaskFailed, match="a writer") as caught:
        async with asyncio.timeout(5):
            await failed
    assert isinstance(caught.value.__cause__, Bug)
    assert kept.done()


@virtual
async def test_a_task_that_is_looked_at_in_time_or_cancelled_or_returns_is_not_reported() -> None:
    failed = watch_tasks(unseen_after_s=0.4)
    task = asyncio.create_task(_fail())
    await asyncio.sleep(0.01)
    with pytest.raises(Bug):
        await task
    endless = asyncio.create_task(asyncio.Event().wait())
    await asyncio.create_task(asyncio.sleep(0))
    endless.cancel()
    await asyncio.sleep(0.5)
    assert not failed.done()


@virtual
async def test_an_error_counts_as_seen_while_the_other_jobs_still_clean_up() -> None:
    failed = watch_tasks(unseen_after_s=0.01)

    async def slow_to_end() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.1)

    with pytest.raises(Bug):
        await until_one_ends(_fail(), slow_to_end())
    assert not failed.done()


@virtual
async def test_an_error_after_a_cancellation_counts_as_seen_while_another_job_still_ends() -> None:
    """A lost connection fails several jobs at once, and one of them may wait for its server longer than an error may
    be unseen."""
    failed = watch_tasks(unseen_after_s=0.01)

    async def fails_as_it_is_cancelled() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise Bug

    async def ends_late() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(5)

    both = asyncio.ensure_future(until_one_ends(fails_as_it_is_cancelled(), ends_late()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    both.cancel()
    with pytest.raises(asyncio.CancelledError):
        await both
    assert not failed.done()


@virtual
async def test_a_loop_that_computes_lets_others_run_after_its_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, turns = Clock(0.0), list[float]()
    monkeypatch.setattr(tasks, "time", SimpleNamespace(perf_counter=clock))
    time_slice = TimeSlice(0.01)

    async def count() -> None:
        while True:
            turns.append(clock.now)
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    for millisecond in range(25):
        clock.now = millisecond / 1_000
        await time_slice.checkpoint()
    counting.cancel()
    assert turns == [0.01, 0.02]
