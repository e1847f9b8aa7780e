"""Calculations that all who ask the same share, such as plans as of an index: each made once, few at a time."""

from __future__ import annotations

import asyncio

import pytest

from consumers.documents.programme.plan import Plan
from consumers.read_api import calculations
from consumers.read_api.beside import AT_ONCE_MAX
from consumers.read_api.calculations import Calculations
from consumers.read_api.past import past_plan
from infra.http.problems import Problem
from infra.settings import Settings
from tests.world.plan import plan_of

HEALTH, LABOUR, MOI = "agency/health", "agency/labour", "agency/moi"


class Folder:
    """A process of the pool, which folds when the test lets it."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.let = asyncio.Event()
        self.fails = False

    async def __call__(self, settings: Settings, work: object, index: int) -> Plan:
        assert work is past_plan
        self.asked.append(index)
        await self.let.wait()
        if self.fails:
            raise Problem("database-away")
        return plan_of(log_index=index)


class Plans(Calculations):
    async def plan(self, index: int, holder: str) -> Plan:
        return await self.shared(holder, past_plan, index)


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Folder:
    folder = Folder()
    monkeypatch.setattr(calculations, "calculated", folder)
    return folder


@pytest.fixture
def plans(folder: Folder) -> Plans:
    return Plans(Settings())


async def begun(plans: Plans, *indexes: int, holder: str = HEALTH) -> list[asyncio.Task[Plan]]:
    tasks = [asyncio.create_task(plans.plan(index, holder)) for index in indexes]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


async def test_who_asks_for_the_same_waits_for_the_same_and_it_is_remembered(folder: Folder, plans: Plans) -> None:
    gone, *tasks = await begun(plans, 7, 7, 7)
    gone.cancel()
    folder.let.set()
    assert await asyncio.gather(*tasks) == [plan_of(log_index=7)] * 2, "a caller that goes away stops nothing"
    assert await plans.plan(7, HEALTH) == plan_of(log_index=7)
    assert folder.asked == [7]


async def test_beyond_a_few_at_once_the_caller_is_asked_to_come_back(folder: Folder, plans: Plans) -> None:
    tasks = await begun(plans, 1, holder=HEALTH) + await begun(plans, 2, holder=LABOUR)
    assert len(tasks) == AT_ONCE_MAX
    with pytest.raises(Problem) as caught:
        await plans.plan(99, MOI)
    assert (caught.value.code, caught.value.headers) == ("overloaded", {"Retry-After": "5"})
    folder.let.set()
    await asyncio.gather(*tasks)
    assert await plans.plan(99, HEALTH) == plan_of(log_index=99)


async def test_one_holder_never_has_all_slots(folder: Folder, plans: Plans) -> None:
    tasks = await begun(plans, *range(AT_ONCE_MAX - 1), holder=HEALTH)
    with pytest.raises(Problem) as caught:
        await plans.plan(98, HEALTH)
    assert (caught.value.code, caught.value.headers) == ("too-many-requests", {"Retry-After": "5"})
    tasks += await begun(plans, 99, holder=LABOUR)
    tasks += await begun(plans, 99, holder=HEALTH)
    folder.let.set()
    assert (await asyncio.gather(*tasks))[-1] == plan_of(log_index=99), "a run that another holder began is shared"
    assert await plans.plan(98, HEALTH) == plan_of(log_index=98)


async def test_the_oldest_is_forgotten_and_a_failure_is_not_remembered(folder: Folder) -> None:
    folder.let.set()
    plans = Plans(Settings(), remembered_max=2)
    for index in (1, 2, 1, 3, 1, 2):
        await plans.plan(index, HEALTH)
    assert folder.asked == [1, 2, 3, 2]
    folder.fails = True
    with pytest.raises(Problem):
        await plans.plan(7, HEALTH)
    folder.fails = False
    assert await plans.plan(7, HEALTH) == plan_of(log_index=7)
