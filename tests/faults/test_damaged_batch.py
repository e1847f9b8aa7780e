"""The broker's disk changes a byte of one agency's topic: that topic halts, the others go on, nothing is skipped."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.services import pause
from tests.scenarios.judge import judge
from tests.scenarios.system import System, until
from tests.world.stacks import halted, publish_one

pytestmark = [pytest.mark.stack, pytest.mark.accept]

DAMAGED, SOUND = "damaged", "sound"
FETCH_OVER_S = 0.5
"""A fetch that the registrar had begun has been answered by then."""


@contextmanager
def held_still(system: System, part: str) -> Iterator[None]:
    system.signal(part, signal.SIGSTOP)
    try:
        pause(FETCH_OVER_S)
        yield
    finally:
        system.signal(part, signal.SIGCONT)


def flip_last_byte(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(-1, 2)
        byte = file.read(1)[0]
        file.seek(-1, 2)
        file.write(bytes([byte ^ 0xFF]))


def test_a_damaged_batch_halts_its_topic_alone_until_it_is_mended(system: System, tmp_path: Path) -> None:
    system.add_agencies([(DAMAGED, "agency"), (SOUND, "agency")])
    publish_one(system, tmp_path, DAMAGED, "before", "--wait")
    (segment,) = system.home.glob(f"kafka/**/agency.{DAMAGED}.events-0/*.log")
    with held_still(system, "registrar"):
        publish_one(system, tmp_path, DAMAGED, "hit")
        flip_last_byte(segment)

    until(lambda: halted(system, DAMAGED) is not None, 240, "the topic does not halt")
    assert "the batch at offset 1 is damaged" in str(halted(system, DAMAGED))
    assert halted(system, SOUND) is None
    publish_one(system, tmp_path, SOUND, "beside", "--wait")
    flip_last_byte(segment)
    assert system.ask("registrar", "unhalt", DAMAGED, exits=(1,))["is_restored"]
    assert system.ask("registrar", "unhalt", DAMAGED, "--yes")["lifted"]
    publish_one(system, tmp_path, DAMAGED, "after", "--wait")
    system.settle()
    assert halted(system, DAMAGED) is None
    judge(system).require_clean()
