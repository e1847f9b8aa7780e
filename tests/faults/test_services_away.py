"""Kafka or PostgreSQL is away for a while: everything waits, says so once, and goes on without a restart."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from tests.faults.killing import PROCESSES
from tests.faults.services import away, pause, until_back
from tests.oracle.history import MIXED, generate
from tests.scenarios.figures import tell
from tests.scenarios.judge import judge
from tests.scenarios.load import differences, publish_all, register
from tests.scenarios.system import System, fresh_system

pytestmark = [pytest.mark.stack, pytest.mark.accept]

AWAY_S = 20
SAID_MAX = 10
"""Lines of a process about one absence: its own sentences, and one of each kind of its clients' (they see it too)."""


@pytest.mark.parametrize("service", ["kafka", "postgres"])
def test_processes_wait_for_a_service_and_say_so_once(service: str, tmp_path: Path) -> None:
    history = generate(80, 30_000, MIXED)
    with fresh_system() as system:
        register(system, history)
        pids = {name: system.pid(name) for name in PROCESSES}
        said: dict[str, list[str]] = {}

        def take_away(_: list[Future[Any]]) -> None:
            time.sleep(3)
            before = {name: len(system.log_lines(name)) for name in PROCESSES}
            pid = system.pid(service)
            with away(system, service):
                pause(AWAY_S)
                for name in PROCESSES:
                    lines = system.log_lines(name)[before[name] :]
                    said[name] = [str(line.get("event")) for line in lines if line.get("level") != "info"]
            until_back(system, service, pid)

        reports = publish_all(system, history, tmp_path / "files", meanwhile=take_away)
        for name, lines in said.items():
            tell(f"{service} away {AWAY_S} s: {name} said {len(lines)} different sentences")
            assert len(lines) <= SAID_MAX, (name, lines)
            assert max(Counter(lines).values(), default=0) <= 1, (name, lines)
        assert differences(reports, history, was_away=service == "kafka") == []
        judge(system).require_clean()
        assert is_compared(system)
        assert {name: system.pid(name) for name in PROCESSES} == pids, "a process was started again"


def is_compared(system: System) -> bool:
    """Whether the registrar has compared the database with the log since it was started."""
    comparison = "SELECT verified_copy = log.copy_name() FROM log.state"
    with system.start("postgres", "psql", "--tuples-only", "--command", comparison) as psql:
        return psql.communicate()[0].strip() == b"t"
