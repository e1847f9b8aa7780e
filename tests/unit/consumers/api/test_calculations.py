"""Calculations that all who ask the same share, such as plans as of an index: each made once, few at a time."""

from __future__ import annotations

import asyncio

import pytest

from consumers.api import calculation_pool
from consumers.api.calculation_pool import AT_ONCE_MAX, Calculations
from consumers.api.resources.programme import past_plan
from consumers.documents.programme.plan import Plan
from infra.http.problems import Problem
from infra.settings import Settings
from tests.world.plan import plan_of

HEALTH, LABOUR, MOI = "agency/health", "agency/labour", "agency/moi"


class Plans(Calculations):
    """Its process of the pool makes a plan when the test lets it."""

    def __init__(self, remembered_max: int = 64) -> None:
        super().__init__(Settings(), remembered_max)
        self.asked: list[int] = []
        self.let = asyncio.Event()
        self.fails = False

    async def calculated(self, settings: Settings, work: object, index: int) -> Plan:
        assert work is past_plan
        self.asked.append(index)
        await self.let.wait()
        if self.fails:
            raise Problem("database-away")
        return plan_of(log_index=index)

    async def plan(self, index: int, holder: str = HEALTH) -> int:
        return (await self.shared(holder, past_plan, index)).log_index

    async def begun(self, *indexes: int, holder: str = HEALTH) -> list[asyncio.Task[int]]:
        tasks = [asyncio.create_task(self.plan(index, holder)) for index in indexes]
        for _ in range(3):
            await asyncio.sleep(0)
        return tasks

    async def require_refused(self, index: int, holder: str, code: str) -> None:
        with pytest.raises(Problem) as caught:
            await self.plan(index, holder)
        assert (caught.value.code, caught.value.headers) == (code, {"Retry-After": "5"})


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch) -> Plans:
    plans = Plans(remembered_max=2)
    monkeypatch.setattr(calculation_pool, "calculated", plans.calculated)
    return plans


async def test_who_asks_for_the_same_waits_for_the_same_and_it_is_remembered(plans: Plans) -> None:
    gone, *tasks = await plans.begun(7, 7, 7)
    gone.cancel()
    plans.let.set()
    assert await asyncio.gather(*tasks) == [7, 7], "a caller that goes away stops nothing"
    assert (await plans.plan(7), plans.asked) == (7, [7])


async def test_few_are_made_at_once_and_one_holder_never_has_all_slots(plans: Plans) -> None:
    tasks = await plans.begun(*range(AT_ONCE_MAX - 1))
    await plans.require_refused(98, HEALTH, "too-many-requests")
    tasks += await plans.begun(99, holder=LABOUR)
    await plans.require_refused(97, MOI, "overloaded")
    tasks += await plans.begun(99, holder=HEALTH)
    plans.let.set()
    assert (await asyncio.gather(*tasks))[-1] == 99, "a run that another holder began is shared"
    assert await plans.plan(98) == 98


async def test_the_oldest_is_forgotten_and_a_failure_is_not_remembered(plans: Plans) -> None:
    plans.let.set()
    for index in (1, 2, 1, 3, 1, 2):
        await plans.plan(index)
    assert plans.asked == [1, 2, 3, 2]
    plans.fails = True
    with pytest.raises(Problem):
        await plans.plan(7)
    plans.fails = False
    assert await plans.plan(7) == 7


async def test_a_calculation_in_a_thread_is_remembered_where_it_has_a_key(plans: Plans) -> None:
    made: list[int] = []

    def calculation() -> int:
        made.append(1)
        return len(made)

    assert [await plans.here(calculation, key) for key in ("a", "b", "a", "c", "a", "b", None, None)] == [
        *(1, 2, 1, 3, 1, 4, 5, 6)
    ]
