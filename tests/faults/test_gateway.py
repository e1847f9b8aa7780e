"""kill -9 of the gateway and of Kafka under load, clients trying again: no receipt is empty, no event is doubled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tests.faults.killing import Killer
from tests.gateway_access import grant_access
from tests.scenarios.figures import tell
from tests.scenarios.system import System, fresh_system
from tests.world.stacks import Load, require_no_loss

pytestmark = pytest.mark.stack
SENDER = "sender"
"""An agency of this module alone."""

PARTS = ("gateway", "kafka")


def kill_under_load(system: System, killer: Killer) -> None:
    load = Load(SENDER)

    def kill(until_it_goes_on: Callable[[], None]) -> None:
        killer.until_due = until_it_goes_on
        killer.run(system)

    asyncio.run(load.send(grant_access(system, SENDER), kill))
    system.settle()
    again = asyncio.run(require_no_loss(system.settings, load))
    tell(f"{killer}; {len(load.sent)} events, {again} records came again and were dropped")


@pytest.mark.accept
@pytest.mark.parametrize("seed", [41, 42])
def test_twenty_kills_of_gateway_and_kafka_lose_and_double_nothing(seed: int) -> None:
    with fresh_system() as system:
        kill_under_load(system, Killer(seed, count=20, parts=PARTS))
