"""The broker's disk changes a byte of one agency's topic: that topic halts, the others go on, nothing is skipped."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.services import pause
from tests.faults.test_noise import event
from tests.scenarios.judge import judge
from tests.scenarios.system import System, until

pytestmark = pytest.mark.stack

DAMAGED, SOUND = "damaged", "sound"
FETCH_OVER_S = 0.5
"""A fetch that the registrar had begun has been answered by then."""


def publish(system: System, folder: Path, agency: str, name: str, *options: str) -> None:
    path = folder / f"{agency}-{name}.ndjson"
    path.write_bytes(event(agency, name) + b"\n")
    system.run("publish", str(path), "--agency", agency, *options)


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
    publish(system, tmp_path, DAMAGED, "before", "--wait")
    (segment,) = system.home.glob(f"kafka/**/agency.{DAMAGED}.events-0/*.log")
    with held_still(system, "registrar"):
        publish(system, tmp_path, DAMAGED, "hit")
        flip_last_byte(segment)

    def halted() -> str | None:
        reasons = {row["code"]: row["halted_reason"] for row in system.ask("agencies", "list")}
        assert reasons[SOUND] is None
        reason: str | None = reasons[DAMAGED]
        return reason

    until(lambda: halted() is not None, 240, "the topic does not halt")
    assert "the batch at offset 1 is damaged" in str(halted())
    publish(system, tmp_path, SOUND, "beside", "--wait")
    flip_last_byte(segment)
    assert system.ask("registrar", "unhalt", DAMAGED, exits=(1,))["is_restored"]
    assert system.ask("registrar", "unhalt", DAMAGED, "--yes")["lifted"]
    publish(system, tmp_path, DAMAGED, "after", "--wait")
    system.settle()
    assert halted() is None
    judge(system).require_clean()
