"""Work in several tasks ends together and loses no error."""

from __future__ import annotations

import asyncio

import pytest

from infra import tasks
from infra.tasks import pause, until_one_ends


class Bug(Exception):
    pass


async def test_the_others_are_cancelled_and_waited_for_when_one_returns() -> None:
    seen: list[str] = []

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            seen.append("cleaned up")

    await until_one_ends(forever(), asyncio.sleep(0), forever())
    assert seen == ["cleaned up"] * 2


async def test_an_error_is_raised() -> None:
    async def fail() -> None:
        raise Bug

    with pytest.raises(Bug):
        await until_one_ends(asyncio.Event().wait(), fail())


async def test_of_several_errors_the_first_in_the_list_is_raised() -> None:
    async def fail(error: Exception) -> None:
        raise error

    with pytest.raises(ZeroDivisionError):
        await until_one_ends(fail(ZeroDivisionError()), fail(Bug()))


async def test_a_cancellation_from_outside_ends_all() -> None:
    ended = asyncio.Event()

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    task = asyncio.create_task(until_one_ends(forever()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


async def test_a_cancellation_that_a_library_loses_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "CANCEL_AGAIN_S", 0.01)
    lost: list[bool] = []

    async def forever() -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if lost:
                    raise
                lost.append(True)

    await until_one_ends(forever(), asyncio.sleep(0))
    assert lost


async def test_a_pause_ends_with_its_time_and_with_its_event() -> None:
    event = asyncio.Event()
    await pause(event, 0.001)
    assert not event.is_set()
    event.set()
    await pause(event, 3600)


async def test_a_pause_that_is_cancelled_as_its_event_comes_is_cancelled() -> None:
    event = asyncio.Event()
    task = asyncio.create_task(pause(event, 3600))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    event.set()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
