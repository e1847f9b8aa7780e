"""A broker comes back without the tail of an agency's topic, which grows again while the registrar is paused."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from infra.kafka.client_config import agency_topic
from tests.faults.services import away, until_back
from tests.scenarios.figures import tell
from tests.scenarios.system import System, fresh_system, until
from tests.world.stacks import CUT, SOUND, cut_segment, halted, logged, send_one_by_one

pytestmark = [pytest.mark.stack, pytest.mark.accept]

TOPIC = agency_topic(CUT.code)
KEPT, READ, NEW = 3, 5, 10


@pytest.fixture
def system() -> Iterator[System]:
    with fresh_system() as running:
        running.add_agencies([(CUT.code, "agency"), (SOUND.code, "agency")])
        yield running


@pytest.mark.parametrize("sleeps", ["registrar", None], ids=["registrar-paused", "registrar-awake"])
def test_nothing_that_stands_behind_a_lost_tail_is_registered(system: System, sleeps: str | None) -> None:
    old, new = [f"old-{i}" for i in range(READ)], [f"new-{i}" for i in range(NEW)]
    send_one_by_one(system, CUT, *old)
    send_one_by_one(system, SOUND, "before")
    system.settle()
    if sleeps:
        system.signal(sleeps, signal.SIGSTOP)
    kafka = system.pid("kafka")
    with away(system, "kafka"):
        cut_segment(system, TOPIC, KEPT)
    until_back(system, "kafka", kafka)
    send_one_by_one(system, CUT, *new)
    if sleeps:
        system.signal(sleeps, signal.SIGCONT)
    seconds = until(lambda: halted(system, CUT.code) is not None, 60, "the topic does not halt")
    tell(f"a regrown topic is halted {seconds:.1f} s after the registrar goes on: {halted(system, CUT.code)}")
    send_one_by_one(system, SOUND, "beside")
    until(lambda: logged(system, SOUND) == ["before", "beside"], 60, "the other agency does not go on")
    assert halted(system, SOUND.code) is None
    assert logged(system, CUT) == old

    found = system.ask("registrar", "unhalt", CUT.code, exits=(1,))
    assert found["to_be_sent_again"] == [0, READ - 1]
    assert system.ask("registrar", "unhalt", CUT.code, "--yes")["lifted"]
    send_one_by_one(system, CUT, *new)
    system.settle()
    assert logged(system, CUT) == sorted([*old, *new]), "what is sent again under its ids is registered once"
    assert system.ask("audit", "verify")["ok"]
