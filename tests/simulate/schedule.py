"""Which faults come at which points: one after the other, all of them, or drawn by a seed. Pure.

A schedule is named by its text, which repeats it: `POINT=FAULT`, several joined by `+`. A point is a place and the
number of the time at which it is met: `pg.COMMIT.journal.commit.2`.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import zip_longest
from typing import Final, Self

TIMES_MAX: Final = 4
"""A place that is met again and again (polls, renewals) is enumerated so often. A seed draws from all times."""
DRAWN_FAULTS_MAX: Final = 3
HARDWARE: Final = ("file.", ".signer.", ".continuation.", ".key_files.", ".checkpoints")
"""In whose places a machine loses its power: where something depends on what a disk kept."""


class Fault(Enum):
    """What happens at a point."""

    CUT = "cut"
    """The connection is lost before anything was done."""
    LOST = "lost"
    """It was done; the connection is lost before the answer."""
    LATE = "late"
    """Nothing arrives for some seconds; then it is done."""
    CANCELLED = "cancelled"
    """It was done; the task that waits for it is cancelled."""
    KILLED = "killed"
    """It was done; the process is killed before the answer."""
    SECOND = "second"
    """The process is suspended before it; another one takes over and works; then the first goes on."""
    POWER_OLD = "power-old"
    """The machine loses its power before it: of the names of files, only what was synced is kept."""
    POWER_NEW = "power-new"
    """The machine loses its power before it: all names of files are kept, of their contents what was synced."""


@dataclass(frozen=True, slots=True)
class Point:
    """An await on something outside. `place` says what is asked, and where in our code; `time` counts from 1."""

    place: str
    time: int

    def __str__(self) -> str:
        return f"{self.place}.{self.time}"

    @property
    def faults(self) -> list[Fault]:
        """Those that may come here."""
        power = [Fault.POWER_OLD, Fault.POWER_NEW] if any(part in self.place for part in HARDWARE) else []
        if self.place.startswith("file."):
            return power
        found = [Fault.CUT, Fault.LOST, Fault.KILLED, Fault.SECOND, Fault.LATE, Fault.CANCELLED, *power]
        if ".connect" in self.place:
            found.remove(Fault.CANCELLED)  # the same as cut: nothing was done
        return found


@dataclass(frozen=True, slots=True)
class Schedule:
    """Faults by point; none is a run in which nothing goes wrong."""

    faults: tuple[tuple[Point, Fault], ...] = ()

    def __str__(self) -> str:
        return "+".join(f"{point}={fault.value}" for point, fault in self.faults) or "none"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises `ValueError`."""
        found = []
        for part in text.split("+") if text != "none" else []:
            point, _, fault = part.rpartition("=")
            place, _, time = point.rpartition(".")
            found.append((Point(place, int(time)), Fault(fault)))
        return cls(tuple(found))


def enumerated(points: Sequence[Point]) -> Iterator[Schedule]:
    """Each fault at each point, once. Early and late places take turns, so that a part of them is a fair sample."""
    rare = [point for point in points if point.time <= TIMES_MAX]
    by_fault = [[Schedule(((point, fault),)) for point in rare if fault in point.faults] for fault in Fault]
    for together in zip_longest(*(_spread(schedules) for schedules in by_fault)):
        yield from (schedule for schedule in together if schedule is not None)


def _spread(schedules: Sequence[Schedule]) -> list[Schedule]:
    """All of them, far ones first: by the digits of their number, from the last one on."""
    width = max(1, len(schedules) - 1).bit_length()
    return [schedules[n] for n in sorted(range(len(schedules)), key=lambda n: f"{n:0{width}b}"[::-1])]


def drawn(points: Sequence[Point], seed: int) -> Iterator[Schedule]:
    """Without end: up to `DRAWN_FAULTS_MAX` faults at once."""
    # A schedule that is printed is repeated by its text: the seed only chooses.
    chance = random.Random(seed)
    while True:
        chosen = chance.sample(points, min(len(points), chance.randint(1, DRAWN_FAULTS_MAX)))
        yield Schedule(tuple((point, chance.choice(point.faults)) for point in chosen if point.faults))
