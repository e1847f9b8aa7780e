"""The runs of one worker, in a process of its own: its part of all schedules, and what they came to."""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Final

import click

from infra.settings import Settings
from tests.simulate.points import simulation
from tests.simulate.scenarios import SCENARIOS
from tests.simulate.schedule import Point, Schedule, drawn, enumerated
from tests.simulate.worlds import quiet, world

TELL_S: Final = 10.0
"""Seconds between two lines about the progress."""
BROKEN_MAX: Final = 10
"""A worker stops after so many failures: one defect has many."""


@dataclass
class Tally:
    """What the runs of a scenario were. `unmet`: a fault's point did not come."""

    schedules: int = 0
    unmet: int = 0
    points: int = 0
    enumerated: int = 0
    of: int = 0
    seconds: float = 0.0
    broken: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """The runs of another worker."""
        self.schedules += other.schedules
        self.unmet += other.unmet
        self.enumerated += other.enumerated
        self.points, self.of = other.points, other.of
        self.seconds = max(self.seconds, other.seconds)
        self.broken += other.broken


@dataclass(frozen=True)
class Job:
    """A worker's part: each `workers`-th schedule from the `number`-th on."""

    scenario: str
    seed: int
    seconds: float
    number: int
    workers: int
    schedule: str | None = None

    def schedules(self, points: Sequence[Point]) -> Iterator[tuple[Schedule, bool]]:
        """Schedules, and whether they were enumerated."""
        if self.schedule is not None:
            yield Schedule.parse(self.schedule), True
            return
        all_of_them = [(schedule, True) for schedule in enumerated(points)]
        by_seed = ((schedule, False) for schedule in drawn(points, self.seed))
        # From where the seed says: short runs on many days meet all of them.
        start = self.seed * 1009 % max(1, len(all_of_them))
        turned = all_of_them[start:] + all_of_them[:start]
        yield from itertools.islice(itertools.chain(turned, by_seed), self.number, None, self.workers)


def work(settings: Settings, job: Job) -> Tally:
    """A worker's runs, in a process of its own."""
    with simulation() as runner, ExitStack() as silent:
        if job.schedule is None:
            silent.enter_context(quiet())
        return runner.run(_work(settings, job))


async def _work(settings: Settings, job: Job) -> Tally:
    tally = Tally()
    async with world(settings, SCENARIOS[job.scenario]()) as found:
        usual = await found.run(Schedule())
        if usual.broken:
            tally.broken.append(_line(job.scenario, usual.schedule, usual.broken))
            return tally
        tally.points, tally.of = len(usual.met), sum(1 for _ in enumerated(usual.met))
        began_s = told_s = time.perf_counter()
        for schedule, is_enumerated in job.schedules(usual.met):
            tally.seconds = time.perf_counter() - began_s
            if tally.seconds > job.seconds or len(tally.broken) >= BROKEN_MAX:
                break
            outcome = await found.run(schedule)
            tally.schedules += 1
            tally.enumerated += is_enumerated
            tally.unmet += len(outcome.hit) < len(schedule.faults)
            if outcome.broken:
                tally.broken.append(_line(job.scenario, schedule, outcome.broken))
                click.echo(tally.broken[-1])
            elif job.number == 0 and time.perf_counter() - told_s > TELL_S:
                told_s = time.perf_counter()
                rate = job.workers * tally.schedules / tally.seconds
                click.echo(f"{job.scenario}: {job.workers * tally.schedules:,} schedules, {rate:.1f} a second")
    return tally


def _line(scenario: str, schedule: Schedule, broken: Sequence[str]) -> str:
    command = f"{sys.executable} -m tests.simulate --scenario {scenario} --schedule '{schedule}'"
    return f"{scenario}: {'; '.join(broken)}\n    {command}"
