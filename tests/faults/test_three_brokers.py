"""Three brokers: one is killed, held still or loses its disk under load, and the log goes on without a person."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from infra.kafka.admin import admin_client
from infra.postgres.connection import connect
from infra.settings import Settings
from infra.stack_record import BROKERS
from tests.faults.services import pause, until_back
from tests.gateway_access import grant_access
from tests.scenarios.figures import tell
from tests.scenarios.system import System, own_folder, running_system, until
from tests.world.stacks import Load, require_no_loss

pytestmark = [pytest.mark.stack, pytest.mark.accept, pytest.mark.timeout(900)]

HELD_S = 20
STANDS_MAX_S = 15.0
IN_SYNC_S = 120
LOOK_EVERY_S = 0.1


def kill(system: System, broker: str) -> None:
    """kill -9; the supervisor starts it again."""
    until_back(system, broker, system.kill(broker))


def hold(system: System, broker: str) -> None:
    """It accepts connections, and answers nothing for a while; the status says so."""
    pid = system.signal(broker, signal.SIGSTOP)
    try:
        pause(HELD_S)
        status = system.ask("status", exits=(1,))
        assert {"kafka": status["kafka"], **status["brokers"]}[broker]["state"] == "silent"
    finally:
        os.kill(pid, signal.SIGCONT)


def lose_disk(system: System, broker: str) -> None:
    """Its data is gone; it gets it from the others."""
    shutil.rmtree(system.home / "brokers" / broker / "data")
    kill(system, broker)


async def partitions(system: System) -> dict[str, tuple[str, int]]:
    """The leader of each topic, and how many copies are in sync."""
    async with admin_client(system.settings) as admin:
        topics = await admin.describe_topics()
    return {t["topic"]: (BROKERS[p["leader"] - 1], len(p["isr"])) for t in topics for p in t["partitions"]}


@dataclass
class Faults:
    """Does each fault once the load flows and all copies are in sync; notes the longest time that the log stood."""

    system: System
    longest_s: float = 0.0

    def run(self, until_it_goes_on: Callable[[], None]) -> None:
        for fault, broker in [*((kill, name) for name in BROKERS), (hold, ""), (lose_disk, BROKERS[2])]:
            self._until_in_sync()
            broker = broker or asyncio.run(partitions(self.system))["yesser.log"][0]
            until_it_goes_on()
            stands_s = asyncio.run(self._stands(fault, broker))
            until_it_goes_on()
            took_s = self._until_in_sync()
            self.longest_s = max(self.longest_s, stands_s)
            tell(f"{fault.__name__} {broker}: the log stood {stands_s:.1f} s; all in sync {took_s:.1f} s after its end")

    async def _stands(self, fault: Callable[[System, str], None], broker: str) -> float:
        """The longest time in which the log did not grow, from the fault on until it is over and the log goes on."""
        connection = await connect(self.system.settings, "test")
        lasting = asyncio.create_task(asyncio.to_thread(fault, self.system, broker))
        size, since, longest, over = 0, time.monotonic(), 0.0, False
        while not over:
            now = await connection.fetchval("SELECT size FROM log.state")
            longest = max(longest, time.monotonic() - since)
            if now > size:
                over = lasting.done()
                size, since = now, time.monotonic()
            await asyncio.sleep(LOOK_EVERY_S)
        await lasting
        await connection.close()
        return longest

    def _until_in_sync(self) -> float:
        def in_sync() -> bool:
            return {copies for _, copies in asyncio.run(partitions(self.system)).values()} == {len(BROKERS)}

        return until(in_sync, IN_SYNC_S, "not all copies are in sync")


def load_during(system: System, load: Load, faults: Callable[[Callable[[], None]], None]) -> float:
    """Events a second of the load during the faults."""
    started = time.monotonic()
    asyncio.run(load.send(grant_access(system, load.agency), faults))
    return len(load.sent) / (time.monotonic() - started)


def require_sound(system: System, *loads: Load) -> None:
    system.settle()
    again = [asyncio.run(require_no_loss(system.settings, load)) for load in loads]
    assert system.run("audit", "verify")["size"] >= sum(len(load.sent) for load in loads)
    tell(f"{sum(len(load.sent) for load in loads)} events, {sum(again)} records came again and were dropped")


def test_a_home_of_one_broker_becomes_one_of_three_and_goes_on_without_any_one_of_them() -> None:
    before, during = Load("before"), Load("during")
    with own_folder() as home:
        with running_system(home) as system:
            load_during(system, before, lambda until_it_goes_on: until_it_goes_on())
            system.settle()
        with running_system(home, brokers="3") as system:
            faults = Faults(system)
            rate = load_during(system, during, faults.run)
            tell(
                f"three brokers: {rate:.0f} events/s during the faults, the log stood {faults.longest_s:.1f} s at most"
            )
            require_sound(system, before, during)
            assert faults.longest_s < STANDS_MAX_S
        assert Settings(home=home).stack().kafka_ports().keys() == {*BROKERS}
