"""An older copy of PostgreSQL comes back when agencies' topics have lost records too: the signed log is enough."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.kafka.client_config import agency_topic
from tests.faults.services import away, keep_copy, put_copy_back, until_back
from tests.oracle.history import MIXED, generate
from tests.scenarios.figures import tell
from tests.scenarios.judge import judge
from tests.scenarios.load import publish_all, register
from tests.scenarios.system import System, fresh_system, until
from tests.world.stacks import CUT, SOUND, cut_segment, halted, logged, require_halt, send_one_by_one

pytestmark = [pytest.mark.stack, pytest.mark.accept]

TOPIC = agency_topic(CUT.code)
KEPT = 3


@pytest.fixture
def system() -> Iterator[System]:
    with fresh_system() as running:
        yield running


def live_until_a_copy(system: System, folder: Path) -> None:
    """Both agencies have said something; PostgreSQL is copied; they go on."""
    system.add_agencies([(CUT.code, "agency"), (SOUND.code, "agency")])
    send_one_by_one(system, CUT, "old-0", "old-1")
    system.settle()
    keep_copy(system, folder / "copy")
    system.until_all_ready()
    send_one_by_one(system, CUT, "old-2", "old-3", "old-4")
    send_one_by_one(system, SOUND, "before")
    system.settle()


def signed_root(system: System, folder: Path) -> str:
    """The root of the log at rest, which is mirrored too."""
    system.settle()
    size = system.ask("log", "size")["size"]
    # Signing waits for Kafka, and so comes some seconds later where Kafka has just come back.
    until(lambda: system.ask("audit", "verify")["size"] == size, 60, "the log at rest is not signed")
    root: str = system.ask("audit", "verify")["root"]
    system.ask("audit", "mirror", str(folder / "mirror"))
    return root


@pytest.mark.parametrize("source", ["topic", "mirror"])
def test_after_a_halt_was_lifted_the_log_comes_back_from(system: System, tmp_path: Path, source: str) -> None:
    live_until_a_copy(system, tmp_path)
    kafka = system.pid("kafka")
    with away(system, "kafka"):
        cut_segment(system, TOPIC, KEPT)
    until_back(system, "kafka", kafka)
    until(lambda: halted(system, CUT.code) is not None, 60, "the topic does not halt")
    assert system.ask("registrar", "unhalt", CUT.code, "--yes")["lifted"]
    send_one_by_one(system, CUT, "after-0", "after-1")
    until(lambda: len(logged(system, CUT)) == 7, 60, "the agency does not go on")
    root = signed_root(system, tmp_path)
    put_copy_back(system, tmp_path / "copy")
    require_halt(system)
    recovered = system.run("recover", *(["--from", str(tmp_path / "mirror")] if source == "mirror" else []))
    tell(f"after unhalt, from the {source}: {recovered}")
    assert recovered["root"] == root
    assert recovered["halted"] == []
    assert recovered["lacking"] == [{"topic": TOPIC, "records": 2, "duplicates": 0}]
    system.until_all_ready()
    send_one_by_one(system, CUT, "at-last")
    judge(system).require_clean()
    assert halted(system, CUT.code) is None


def test_recoveries_that_are_killed_or_called_twice_end_in_the_same_log(system: System, tmp_path: Path) -> None:
    history = generate(64, 30_000, MIXED)
    system.add_agencies((agency.code, agency.role) for agency in history.agencies if agency.code != "yesser")
    keep_copy(system, tmp_path / "copy")
    system.until_all_ready()
    register(system, history)
    publish_all(system, history, tmp_path / "files")
    root = judge(system).root
    put_copy_back(system, tmp_path / "copy")
    require_halt(system)
    sizes = [kill_at(system, written) for written in (1, 2)]
    first, second = system.start("recover", "--json"), system.start("recover", "--json")
    outcomes = [(child.communicate(timeout=600), child.returncode) for child in (first, second)]
    codes = sorted(code for _, code in outcomes)
    tell(f"killed at {sizes} written entries; two at once ended with {codes}")
    # The second one comes too late, or after the first, when there is nothing left to do.
    assert codes in ([0, 0], [0, 1])
    for (output, errors), code in outcomes:
        if code:
            assert b"is running" in errors
        else:
            assert json.loads(output)["root"] == root
    system.until_all_ready()
    judge(system).require_clean()


def kill_at(system: System, reports: int) -> int:
    """kill -9 a recovery after so many reports of what it has written; the last size that it reported."""
    child: subprocess.Popen[bytes] = system.start("recover")
    assert child.stderr is not None
    size, words = 0, b""
    for line in child.stderr:
        words += line
        if line.startswith(b"written: "):
            size, reports = int(line.split()[1]), reports - 1
        if not reports:
            break
    child.kill()
    child.communicate()
    assert child.returncode < 0, f"it ended before it could be killed: {words.decode()}"
    return size
