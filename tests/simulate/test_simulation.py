"""The harness itself: each scenario without a fault, and a schedule of each. `make simulate` runs them all."""

from __future__ import annotations

from pathlib import Path

import pytest

from consumers.registrar.recovery.agency_records import agency_records
from tests.simulate.broker import Broker
from tests.simulate.conftest import InWorld
from tests.simulate.numbering import TOPICS
from tests.simulate.scenarios import SCENARIOS
from tests.simulate.schedule import Fault, Schedule, drawn
from tests.simulate.worlds import Outcome, World
from tests.stack import TestStack
from tests.virtual_time import virtual_loop, virtual_runner
from tests.world.records import HEALTH, said
from tests.world.topics import send

READ_S = 1.5


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_invariants_hold_without_a_fault_and_after_some_at_once(name: str, in_world: InWorld[None]) -> None:
    """Those that the seed draws; all of them, and one by one: `make simulate`, which `.ci/run` calls."""

    async def sample(world: World) -> None:
        usual = await world.run(Schedule())
        assert not usual.broken
        schedule = next(drawn(usual.met, seed=1))
        outcome = await world.run(schedule)
        assert not outcome.broken, f"{schedule}: {outcome.broken}"

    in_world(name, sample)


def test_a_run_is_repeated_by_the_text_of_its_schedule(in_world: InWorld[None]) -> None:
    async def repeat(world: World) -> None:
        usual = await world.run(Schedule())
        [point] = [p for p in usual.met if p.place == "pg.COMMIT.journal.commit.session.commit_traced" and p.time == 1]
        schedule = Schedule(((point, Fault.LOST),))
        assert Schedule.parse(str(schedule)) == schedule
        outcomes: list[Outcome] = [await world.run(Schedule.parse(str(schedule))) for _ in range(2)]
        assert [outcome.hit for outcome in outcomes] == [[point], [point]]

    in_world("registrar", repeat)


def test_a_recovery_reads_the_next_topic_without_a_wait(stack: TestStack, tmp_path: Path) -> None:
    settings, broker = stack.settings(tmp_path, database="none", corner="reads"), Broker()
    broker.create(*TOPICS)

    async def read() -> float:
        for topic in TOPICS:
            await send(settings, topic, said("1"))
        began_s = virtual_loop().time()
        async with agency_records(settings) as records:
            for topic in TOPICS:
                assert (await records.read(topic, HEALTH, 0, 1)).records
        return virtual_loop().time() - began_s

    with virtual_runner() as runner, broker.serving():
        assert runner.run(read()) < READ_S
