"""A connection that is lost in the middle of a command: one sentence with a remedy, never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest

from infra.postgres.connection import address
from tests.faults.cutting import cut_line
from tests.faults.services import until_back
from tests.paths import ROOT
from tests.scenarios.system import System, fresh_system

pytestmark = [pytest.mark.stack, pytest.mark.accept]

EVENTS = ROOT / "docs" / "first-events.ndjson"
CUTS = 2
ANSWERS_IN_S = 60
READING = (
    "plan",
    "services list",
    "services show APPOINTMENTS",
    "projects list",
    "activity",
    "anomalies",
    "campaigns list",
    "ledger balances",
    "log size",
    "log show 3",
    "log find --agency health",
    "refusals list",
    "agencies list",
    "tokens list",
    "audit verify",
    "audit commitments",
    "wait --timeout 3",
    "rebuild projections --compare",
)
WRITING = (
    "commit",
    "migrate",
    "registrar unhalt health",
    f"publish {EVENTS} --agency health --wait --timeout 3 --delivery-timeout 3",
    "tokens create health",
    "agencies add {name} --role agency --name-ar جهة --name-en Agency",
    "agencies rotate health",
    "agencies suspend health --reason pause",
    "agencies resume health",
    "prepare",
)


@pytest.fixture(scope="module")
def used() -> Iterator[System]:
    """A system with an agency and its first events."""
    with fresh_system() as system:
        system.add_agencies([("health", "agency")])
        system.run("publish", str(EVENTS), "--agency", "health", "--wait")
        system.settle()
        yield system


def error_of(command: str, environment: dict[str, str]) -> str | None:
    """What a command said on stderr; None where it did what it should. It never says it by a traceback."""
    arguments = command.format(name=f"a{os.urandom(4).hex()}").split()
    done = subprocess.run(
        [sys.executable, "-m", "infra.cli", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=ANSWERS_IN_S,
    )
    assert "Traceback" not in done.stderr, (command, done.stderr)
    assert done.returncode >= 0, (command, "was ended by a signal")
    assert (done.returncode == 0) or done.stderr.strip(), (command, "said nothing")
    return None if done.returncode == 0 else done.stderr.strip()


@pytest.mark.parametrize("command", [*READING, *WRITING], ids=lambda c: "-".join(c.split()[:2]).replace("/", "."))
def test_a_line_to_the_database_that_is_cut_anywhere_is_a_sentence(used: System, command: str) -> None:
    port = used.parts()["postgres"]["port"]

    def through(line_port: int) -> dict[str, str]:
        return used.environment() | {"YESSER_POSTGRES": address(used.settings).replace(f":{port}/", f":{line_port}/")}

    for _ in range(2):  # the first time a command may have more to do than when it is repeated
        with cut_line(port) as whole:
            error_of(command, through(whole.port))
    random = Random(command)
    said = []
    for part in range(CUTS):  # one in each part: the names that a table shows come last, and codes do without them
        with cut_line(port, int(whole.passed * (part + random.random()) / CUTS)) as line:
            said.append(error_of(command, through(line.port)))
    assert any(said), "no cut was met"
    for sentence in filter(None, said):
        assert sentence.splitlines()[-1].startswith("yesser: "), sentence


@pytest.mark.parametrize("service", ["kafka", "postgres"])
def test_a_service_that_is_killed_while_a_command_works_is_never_a_traceback(used: System, service: str) -> None:
    random = Random(service)
    for command in WRITING:
        with ThreadPoolExecutor(1) as pool:
            working = pool.submit(error_of, command, used.environment())
            time.sleep(random.uniform(0.4, 1.2))
            pid = used.kill(service)
            working.result()
        until_back(used, service, pid)
        used.until_all_ready()
