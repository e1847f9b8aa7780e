"""README's "Use it", followed to the letter: it works on a sandbox, and leaves nothing in the national log."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.paths import ROOT
from tests.scenarios.reader import TIMEOUT_S, bash, readers_shell, shell_blocks

pytestmark = pytest.mark.timeout(TIMEOUT_S)


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    with readers_shell() as made:
        yield made


@pytest.fixture(scope="module")
def output(environment: dict[str, str]) -> str:
    """What the commands print, when each of them succeeds. The tests run in what `make setup` made."""
    (block,) = [block for block in shell_blocks(ROOT / "README.md") if "yesser publish" in block]
    setup, commands = block.split("\n", 1)
    assert setup == "make setup && . .venv/bin/activate"
    result = bash(commands, environment)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_the_first_events_are_accepted_and_stand_in_the_plan(output: str) -> None:
    assert "2 accepted" in output
    assert "FIVE-YEAR" in output


def test_the_entry_that_is_shown_is_the_first_event_of_the_file(output: str) -> None:
    (entry,) = [line for line in output.splitlines() if '"from":"agency.sandbox.events/0/0"' in line]
    assert '"id":"appointments-registered"' in entry
    assert '"source":"urn:yesser:agency:sandbox"' in entry


def test_the_log_gives_the_signed_root(output: str) -> None:
    assert re.search(r"signed root [0-9a-f]{64}", output)


def test_no_other_agency_is_registered_and_nothing_is_left(output: str, environment: dict[str, str]) -> None:
    """The sandbox has an agency of its own, so nobody's name is registered twice; the home is as empty as before."""
    assert "agencies add" not in (ROOT / "README.md").read_text(encoding="utf-8")
    assert list(Path(environment["YESSER_HOME"]).iterdir()) == []
