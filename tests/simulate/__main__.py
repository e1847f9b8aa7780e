"""`make simulate`: faults by enumeration, then drawn by a seed, for some minutes, on every core.

    python -m tests.simulate --minutes 5 --seed 7
    python -m tests.simulate --scenario registrar --schedule 'pg.COMMIT.journal.commit.session.commit_traced.2=lost'

It ends with 1 if an invariant was broken. Each such line ends with the command that repeats the run.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Final

from infra.settings import Settings
from tests.simulate.points import simulation
from tests.simulate.scenarios import PRINCIPALS, SCENARIOS
from tests.simulate.schedule import Point, Schedule, drawn, enumerated
from tests.simulate.worlds import quiet, with_cheap_logins, world
from tests.stack import corner, folder_in_memory, services

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
                print(tally.broken[-1], flush=True)
            elif job.number == 0 and time.perf_counter() - told_s > TELL_S:
                told_s = time.perf_counter()
                rate = job.workers * tally.schedules / tally.seconds
                print(f"{job.scenario}: {job.workers * tally.schedules:,} schedules, {rate:.1f} a second", flush=True)
    return tally


def _line(scenario: str, schedule: Schedule, broken: Sequence[str]) -> str:
    command = f"{sys.executable} -m tests.simulate --scenario {scenario} --schedule '{schedule}'"
    return f"{scenario}: {'; '.join(broken)}\n    {command}"


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulate", description="Faults by enumeration.")
    parser.add_argument("--seed", type=int, default=0, help="where to begin, and what is drawn after all are met")
    parser.add_argument("--minutes", type=float, default=5.0, help="for how long, all scenarios together")
    parser.add_argument("--scenario", choices=SCENARIOS, action="append", help="only this one (may be repeated)")
    parser.add_argument("--schedule", help="only this schedule, with the logs of the processes")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes at once")
    asked = parser.parse_args()
    names = asked.scenario or list(SCENARIOS)
    if asked.schedule is not None and len(names) != 1:
        parser.error("--schedule needs its --scenario")
    tallies = asyncio.run(_all(names, asked))
    print(f"\n{'scenario':<12}{'points':>8}{'schedules':>11}{'enumerated':>16}{'unmet':>7}{'a second':>10}{'broken':>8}")
    for name, tally in tallies.items():
        rate = tally.schedules / tally.seconds if tally.seconds else 0.0
        of = f"{tally.enumerated:,} of {tally.of:,}"
        counts = f"{tally.points:>8,}{tally.schedules:>11,}{of:>16}{tally.unmet:>7,}{rate:>10.1f}"
        print(f"{name:<12}{counts}{len(tally.broken):>8,}")
    broken = [line for tally in tallies.values() for line in tally.broken]
    for line in broken:
        print(line, file=sys.stderr)
    return 1 if broken else 0


async def _all(names: Sequence[str], asked: argparse.Namespace) -> dict[str, Tally]:
    """One scenario after the other, each with all workers."""
    workers = 1 if asked.schedule is not None else asked.workers
    seconds = asked.minutes * 60 / len(names)
    found: dict[str, Tally] = {}
    with folder_in_memory() as folder, services(folder / "services") as stack:
        spawned = get_context("spawn")
        for name in names:
            async with AsyncExitStack() as corners:
                homes = [await corners.enter_async_context(corner(stack, folder / f"{name}{n}")) for n in range(workers)]
                await with_cheap_logins(homes[0], *PRINCIPALS)
                jobs = [Job(name, asked.seed, seconds, n, workers, asked.schedule) for n in range(workers)]
                with ProcessPoolExecutor(workers, spawned) as pool:
                    tallies = await asyncio.gather(
                        *(
                            asyncio.get_running_loop().run_in_executor(pool, work, settings, job)
                            for settings, job in zip(homes, jobs, strict=True)
                        )
                    )
            found[name] = Tally()
            for tally in tallies:
                found[name].add(tally)
    return found


if __name__ == "__main__":
    sys.exit(main())
