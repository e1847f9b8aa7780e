"""`make simulate`: faults by enumeration, then drawn by a seed, for some minutes, on every core.

    python -m tests.simulate --minutes 5 --seed 7
    python -m tests.simulate --scenario registrar --schedule 'pg.COMMIT.journal.commit.session.commit_traced.2=lost'

It ends with 1 if an invariant was broken. Each such line ends with the command that repeats the run.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from contextlib import AsyncExitStack
from multiprocessing import get_context
from pathlib import Path

import click

from tests.simulate.runs import Job, Tally, work
from tests.simulate.scenarios import SCENARIOS
from tests.stack import TestStack, corner, folder_in_memory, services


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
    with folder_in_memory() as folder, services(folder / "services") as stack:
        seconds = asked.minutes * 60 / len(names)
        tallies = {name: asyncio.run(_runs(name, asked, seconds, stack, folder)) for name in names}
    click.echo(
        f"\n{'scenario':<12}{'points':>8}{'schedules':>11}{'enumerated':>16}{'unmet':>7}{'a second':>10}{'broken':>8}"
    )
    for name, tally in tallies.items():
        rate = tally.schedules / tally.seconds if tally.seconds else 0.0
        of = f"{tally.enumerated:,} of {tally.of:,}"
        counts = f"{tally.points:>8,}{tally.schedules:>11,}{of:>16}{tally.unmet:>7,}{rate:>10.1f}"
        click.echo(f"{name:<12}{counts}{len(tally.broken):>8,}")
    broken = [line for tally in tallies.values() for line in tally.broken]
    for line in broken:
        click.echo(line, err=True)
    return 1 if broken else 0


async def _runs(name: str, asked: argparse.Namespace, seconds: float, stack: TestStack, folder: Path) -> Tally:
    """The runs of a scenario, by all workers."""
    workers = 1 if asked.schedule is not None else asked.workers
    found, loop = Tally(), asyncio.get_running_loop()
    async with AsyncExitStack() as corners:
        homes = [await corners.enter_async_context(corner(stack, folder / f"{name}{n}")) for n in range(workers)]
        with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
            parts = [
                loop.run_in_executor(pool, work, home, Job(name, asked.seed, seconds, n, workers, asked.schedule))
                for n, home in enumerate(homes)
            ]
            for tally in await asyncio.gather(*parts):
                found.add(tally)
    return found


if __name__ == "__main__":
    sys.exit(main())
