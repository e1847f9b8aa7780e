"""kill -9 of whatever is in the seeded order, while something goes on."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.scenarios.system import System, until

PROCESSES = ("registrar", "relay", "projections", "campaigns", "revenue", "event-index", "delivery")
SERVICES = ("kafka", "postgres")
EVERYTHING = (*PROCESSES, "gateway", *SERVICES)
HEAVY = ("registrar", "kafka", "postgres")
"""The services and the registrar are where most can go wrong."""

COMES_BACK_S = 120
WAIT_MIN_S, WAIT_MAX_S = 0.2, 2.5


@dataclass
class Killer:
    """Kills `count` times in an order made from `seed`: each of `parts` at least once where the count allows it."""

    seed: int
    count: int
    parts: tuple[str, ...] = EVERYTHING
    busy: Callable[[], bool] = lambda: True
    until_due: Callable[[], None] = lambda: None
    """Waits until the next kill may come."""

    done: list[str] = field(default_factory=list)
    while_busy: int = 0

    def order(self) -> list[str]:
        """Which part is hit when."""
        random = Random(f"kill/{self.seed}")
        parts = [*self.parts]
        random.shuffle(parts)
        weighted = [*parts, *(part for part in HEAVY if part in parts)]
        parts += random.choices(weighted, k=max(0, self.count - len(parts)))
        return parts[: self.count]

    def run(self, system: System) -> None:
        """Kill in that order, each after a random while; a part that is just being started again is waited for."""
        random = Random(f"wait/{self.seed}")
        for part in self.order():
            self.until_due()
            time.sleep(random.uniform(WAIT_MIN_S, WAIT_MAX_S))
            until(lambda part=part: system.parts()[part]["pid"] is not None, COMES_BACK_S, f"{part} did not come back")  # type: ignore[misc]
            self.while_busy += self.busy()
            try:
                os.kill(system.pid(part), signal.SIGKILL)
            except (ProcessLookupError, AssertionError):
                continue  # it has just ended by itself
            self.done.append(part)

    def beside(self, system: System) -> Callable[[list[Future[Any]]], None]:
        """Kills while these run."""

        def kill(running: list[Future[Any]]) -> None:
            self.busy = lambda: not all(future.done() for future in running)
            self.run(system)

        return kill

    def __str__(self) -> str:
        return f"seed {self.seed}: kill -9 of {', '.join(self.done)} ({self.while_busy} of them under load)"
