"""Plans as of an index: each folded once, few at a time."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from consumers.documents.plan import Plan
from consumers.read_api import beside
from consumers.read_api.beside import AT_ONCE_MAX
from consumers.read_api.past_plans import PastPlans, fold_beside
from infra.http.problems import Problem
from infra.json_documents import to_json
from infra.settings import Settings
from tests.world.plan import PLAN, plan_of

HEALTH, LABOUR, MOI = "agency/health", "agency/labour", "agency/moi"


class Folder:
    """Folds when the test lets it."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.let = asyncio.Event()
        self.fails = False

    async def __call__(self, index: int) -> Plan:
        self.asked.append(index)
        await self.let.wait()
        if self.fails:
            raise Problem("database-away")
        return plan_of(log_index=index)


@pytest.fixture
def folder() -> Folder:
    return Folder()


@pytest.fixture
def plans(folder: Folder) -> PastPlans:
    return PastPlans(folder)


async def begun(plans: PastPlans, *indexes: int, holder: str = HEALTH) -> list[asyncio.Task[Plan]]:
    tasks = [asyncio.create_task(plans.plan(index, holder)) for index in indexes]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


async def test_who_asks_for_the_same_waits_for_the_same_and_it_is_remembered(folder: Folder, plans: PastPlans) -> None:
    tasks = await begun(plans, 7, 7, 7)
    folder.let.set()
    assert await asyncio.gather(*tasks) == [plan_of(log_index=7)] * 3
    assert await plans.plan(7, HEALTH) == plan_of(log_index=7)
    assert folder.asked == [7]


async def test_beyond_a_few_at_once_the_caller_is_asked_to_come_back(folder: Folder, plans: PastPlans) -> None:
    tasks = await begun(plans, 1, holder=HEALTH) + await begun(plans, 2, holder=LABOUR)
    assert len(tasks) == AT_ONCE_MAX
    with pytest.raises(Problem) as caught:
        await plans.plan(99, MOI)
    assert (caught.value.code, caught.value.headers) == ("overloaded", {"Retry-After": "5"})
    folder.let.set()
    await asyncio.gather(*tasks)
    assert await plans.plan(99, HEALTH) == plan_of(log_index=99)


async def test_one_holder_never_has_all_slots(folder: Folder, plans: PastPlans) -> None:
    tasks = await begun(plans, *range(AT_ONCE_MAX - 1), holder=HEALTH)
    with pytest.raises(Problem) as caught:
        await plans.plan(98, HEALTH)
    assert (caught.value.code, caught.value.headers) == ("too-many-requests", {"Retry-After": "5"})
    tasks += await begun(plans, 99, holder=LABOUR)
    tasks += await begun(plans, 99, holder=HEALTH)
    folder.let.set()
    assert (await asyncio.gather(*tasks))[-1] == plan_of(log_index=99), "a run that another holder began is shared"
    assert await plans.plan(98, HEALTH) == plan_of(log_index=98)


async def test_a_caller_that_goes_away_stops_nothing(folder: Folder, plans: PastPlans) -> None:
    gone, stays = await begun(plans, 7, 7)
    gone.cancel()
    folder.let.set()
    assert await stays == plan_of(log_index=7)


async def test_a_failure_is_not_remembered(folder: Folder, plans: PastPlans) -> None:
    folder.fails = True
    folder.let.set()
    with pytest.raises(Problem):
        await plans.plan(7, HEALTH)
    folder.fails = False
    assert await plans.plan(7, HEALTH) == plan_of(log_index=7)


async def test_the_oldest_is_forgotten(folder: Folder) -> None:
    folder.let.set()
    plans = PastPlans(folder, remembered_max=2)
    for index in (1, 2, 1, 3, 1, 2):
        await plans.plan(index, HEALTH)
    assert folder.asked == [1, 2, 3, 2]


async def test_a_child_that_takes_too_long_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "subprocess_command", lambda *arguments: ["sleep", "60"])
    fold = fold_beside(Settings(home=tmp_path, gateway_as_of_timeout_s=0.05))
    with pytest.raises(Problem) as caught:
        await fold(7)
    assert caught.value.code == "overloaded"


async def test_a_child_that_says_why_it_cannot_is_no_fault_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for exit_code, code in ((1, "database-away"), (75, "database-away"), (70, "gateway-fault")):
        monkeypatch.setattr(beside, "subprocess_command", lambda *arguments, e=exit_code: ["sh", "-c", f"exit {e}"])
        with pytest.raises(Problem) as caught:
            await fold_beside(Settings(home=tmp_path))(7)
        assert caught.value.code == code


async def test_a_sum_beyond_64_bits_is_read_as_it_was_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of(awareness=PLAN["awareness"] | {"reach": 18455751272964290559})
    monkeypatch.setattr(beside, "subprocess_command", lambda *arguments: ["echo", to_json(plan).decode()])
    assert await fold_beside(Settings(home=tmp_path))(7) == plan
