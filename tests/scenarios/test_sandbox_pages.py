"""The quick start and then README's "Use it", followed to the letter on one sandbox, which the first does not end: the
events are in the plan, with their proof, and nothing is left."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from producers.sdk.answers import Proof
from producers.sdk.proofs import event_bytes_of, verified_proof
from tests.paths import ROOT
from tests.scenarios.reader import TIMEOUT_S, bash, readers_shell, shell_blocks

pytestmark = [pytest.mark.stack, pytest.mark.timeout(2 * TIMEOUT_S)]

PAGE = ROOT / "docs" / "quickstart.md"
README = ROOT / "README.md"
END = "yesser sandbox down --forget"


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    with readers_shell() as made:
        yield made


@pytest.fixture(scope="module")
def output(environment: dict[str, str]) -> str:
    """What the quick start's commands print, when each of them succeeds."""
    *blocks, end = shell_blocks(PAGE)
    assert end.strip() == END
    return printed("".join(blocks), environment)


@pytest.fixture(scope="module")
def readmes(output: str, environment: dict[str, str]) -> str:
    """What README's commands print afterwards. The tests run in what `make setup` made."""
    (block,) = [block for block in shell_blocks(README) if "yesser publish" in block]
    setup, commands = block.split("\n", 1)
    assert setup == "make setup && . .venv/bin/activate"
    assert commands.splitlines()[-1].startswith(END)
    return printed(commands, environment)


def printed(script: str, environment: dict[str, str]) -> str:
    result = bash(script, environment)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def document(output: str, first_member: str) -> dict[str, Any]:
    """The JSON document of the output that begins with this member."""
    (line,) = [line for line in output.splitlines() if line.startswith(f'{{"{first_member}":')]
    found: dict[str, Any] = json.loads(line)
    return found


def test_the_events_of_all_three_ways_stand_in_the_plan(output: str) -> None:
    group = document(output, "log_index")["services"]["groups"]["1"]
    assert (group["registered"], group["launched"], group["live"]) == (2, 1, 1)
    assert "FIVE-YEAR" in output


def test_what_was_sent_with_curl_has_its_receipt_and_its_verdict(output: str) -> None:
    (receipt,) = document(output, "receipt")["receipt"]["events"]
    verdict = document(output, "receipts")["receipts"][0]
    assert receipt["id"] == "registered-1"
    assert (verdict["state"], verdict["address"]) == ("registered", receipt["address"])


def test_the_proof_holds_for_the_event_that_went_to_kafka(output: str) -> None:
    proof = verified_proof(Proof(**document(output, "index")), None)
    assert json.loads(event_bytes_of(proof))["id"] == "registered-2"


def test_the_example_in_python_proves_its_own_entry(output: str) -> None:
    assert re.search(r"^launch-1 is entry \d+ of \d+, proven by \d+ hashes$", output, re.MULTILINE)


def test_the_whole_log_gives_the_signed_root(output: str) -> None:
    assert re.search(r"^\d+ entries give the signed root [0-9a-f]{64}\.$", output, re.MULTILINE)


def test_readmes_events_are_accepted_and_stand_in_the_plan(readmes: str) -> None:
    assert "2 accepted" in readmes
    assert "FIVE-YEAR" in readmes


def test_the_entry_that_is_shown_is_the_first_event_that_was_sent_byte_for_byte(readmes: str) -> None:
    (entry,) = [line for line in readmes.splitlines() if '"from":"agency.sandbox.events/0/0"' in line]
    (sent,) = [block for block in shell_blocks(PAGE) if "registered.json" in block]
    assert sent.split("<<'EOF'\n")[1].split("\nEOF")[0].splitlines()[0] in entry


def test_readmes_log_gives_the_signed_root(readmes: str) -> None:
    assert re.search(r"signed root [0-9a-f]{64}", readmes)


def test_no_other_agency_is_registered_and_nothing_is_left(readmes: str, environment: dict[str, str]) -> None:
    """The sandbox has an agency of its own, so nobody's name is registered twice; the home is as empty as before."""
    assert "agencies add" not in README.read_text(encoding="utf-8")
    assert "Its data is deleted." in readmes
    assert list(Path(environment["YESSER_HOME"]).iterdir()) == []
