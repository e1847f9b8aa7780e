"""The harness itself: each scenario without a fault, and a sample of its schedules. `make simulate` runs them all."""

from __future__ import annotations

import itertools

import pytest

from tests.simulate.conftest import InWorld
from tests.simulate.scenarios import SCENARIOS
from tests.simulate.schedule import Fault, Schedule, drawn, enumerated
from tests.simulate.virtual_time import virtual_loop
from tests.simulate.worlds import Outcome, World

SAMPLE = 7
RECOVERED_S = 4.0
DRAWN = 2


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_invariants_hold_without_a_fault_and_after_a_sample_of_them(name: str, in_world: InWorld[None]) -> None:
    async def sample(world: World) -> None:
        usual = await world.run(Schedule())
        assert not usual.broken
        chosen = itertools.islice(enumerated(usual.met), SAMPLE)
        by_seed = itertools.islice(drawn(usual.met, seed=1), DRAWN)
        for schedule in [*chosen, *by_seed]:
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


def test_a_recovery_does_not_wait_for_new_records_of_each_topic(in_world: InWorld[None]) -> None:
    async def recover(world: World) -> None:
        began_s = virtual_loop().time()
        assert not (await world.run(Schedule())).broken
        assert virtual_loop().time() - began_s < RECOVERED_S

    in_world("restore", recover)
