"""A broker comes back without the tail of an agency's topic, which grows again while the registrar is paused."""

from __future__ import annotations

import asyncio
import signal
import struct
from collections.abc import Iterator

import pytest

from events.validation.verdicts import Agency
from infra.kafka.client_config import agency_topic
from tests.faults.services import away, until_back
from tests.scenarios.figures import tell
from tests.scenarios.system import System, fresh_system, until
from tests.unit.consumers.registrar.readings import said
from tests.world.topics import send

pytestmark = [pytest.mark.stack, pytest.mark.accept]

CUT, SOUND = Agency("cut", "agency"), Agency("sound", "agency")
TOPIC = agency_topic(CUT.code)
KEPT, READ, NEW = 3, 5, 10


@pytest.fixture
def system() -> Iterator[System]:
    with fresh_system() as running:
        running.add_agencies([(CUT.code, "agency"), (SOUND.code, "agency")])
        yield running


def send_one_by_one(system: System, agency: Agency, *ids: str) -> None:
    """Acknowledged one after another, so that each is a batch of its own in the segment."""

    async def send_all() -> None:
        for id in ids:
            await send(system.settings, agency_topic(agency.code), said(id, agency=agency))

    asyncio.run(send_all())


def cut_segment(system: System, topic: str, offset: int) -> None:
    """Cut the topic's segment at the batch that begins at `offset`, as a disk that lost what was not yet written."""
    (segment,) = system.home.glob(f"kafka/**/{topic}-0/*.log")
    data, at = segment.read_bytes(), 0
    while at < len(data):
        base, length = struct.unpack_from(">qi", data, at)
        if base == offset:
            break
        at += 12 + length
    assert at < len(data), f"{topic} has no batch at offset {offset}"
    with segment.open("r+b") as file:
        file.truncate(at)
    for index in segment.parent.glob("*index"):
        index.unlink()


def halted(system: System, code: str) -> str | None:
    reasons = {row["code"]: row["halted_reason"] for row in system.ask("agencies", "list")}
    reason: str | None = reasons[code]
    return reason


def logged(system: System, agency: Agency) -> list[str]:
    """The ids that are in the log of an agency's own events."""
    found = system.ask("log", "find", "--agency", agency.code, "--limit", "100")
    return sorted(row["id"] for row in found)


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
