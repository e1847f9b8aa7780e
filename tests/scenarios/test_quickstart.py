"""The quick start, followed to the letter on a fresh machine's stack, ends with events in the plan and their proof."""

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

PAGE = ROOT / "docs" / "quickstart.md"


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    with readers_shell() as made:
        yield made


@pytest.fixture(scope="module")
def output(environment: dict[str, str]) -> str:
    """What the page's commands print, when each of them succeeds."""
    result = bash("".join(shell_blocks(PAGE)), environment)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def document(output: str, first_member: str) -> dict[str, Any]:
    """The JSON document of the output that begins with this member."""
    (line,) = [line for line in output.splitlines() if line.startswith(f'{{"{first_member}":')]
    found: dict[str, Any] = json.loads(line)
    return found


@pytest.mark.timeout(TIMEOUT_S)
def test_the_events_of_all_three_ways_stand_in_the_plan(output: str) -> None:
    group = document(output, "log_index")["services"]["groups"]["1"]
    assert (group["registered"], group["launched"], group["live"]) == (2, 1, 1)
    assert "FIVE-YEAR" in output


@pytest.mark.timeout(TIMEOUT_S)
def test_what_was_sent_with_curl_has_its_receipt_and_its_verdict(output: str) -> None:
    (receipt,) = document(output, "receipt")["receipt"]["events"]
    verdict = document(output, "receipts")["receipts"][0]
    assert receipt["id"] == "registered-1"
    assert (verdict["state"], verdict["address"]) == ("registered", receipt["address"])


@pytest.mark.timeout(TIMEOUT_S)
def test_the_proof_holds_for_the_event_that_went_to_kafka(output: str) -> None:
    proof = verified_proof(Proof(**document(output, "index")), None)
    assert json.loads(event_bytes_of(proof))["id"] == "registered-2"


@pytest.mark.timeout(TIMEOUT_S)
def test_the_example_in_python_proves_its_own_entry(output: str) -> None:
    assert re.search(r"^launch-1 is entry \d+ of \d+, proven by \d+ hashes$", output, re.MULTILINE)


@pytest.mark.timeout(TIMEOUT_S)
def test_the_whole_log_gives_the_signed_root(output: str) -> None:
    assert re.search(r"^\d+ entries give the signed root [0-9a-f]{64}\.$", output, re.MULTILINE)


@pytest.mark.timeout(TIMEOUT_S)
def test_nothing_of_the_sandbox_is_left(output: str, environment: dict[str, str]) -> None:
    assert "Its data is deleted." in output
    assert list(Path(environment["YESSER_HOME"]).iterdir()) == []
