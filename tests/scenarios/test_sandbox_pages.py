"""The quick start, and README's "Use it" after it, followed to the letter: the events are in the plan, with their
proof, and nothing is left."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from events.wire.entry import event_bytes
from producers.sdk.acknowledgements import verified_proof
from producers.sdk.answers import Proof
from tests.paths import ROOT
from tests.scenarios.reader import TIMEOUT_S, bash, readers_shell, shell_blocks

pytestmark = [pytest.mark.stack, pytest.mark.timeout(2 * TIMEOUT_S)]

PAGE = ROOT / "docs" / "quickstart.md"
README = ROOT / "README.md"
END = "yesser sandbox down --forget"


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    with readers_shell() as made:
        yield made


def printed(script: str, environment: dict[str, str]) -> str:
    result = bash(script, environment)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def document(output: str, first_member: str) -> dict[str, Any]:
    """The JSON document of the output that begins with this member."""
    (line,) = [line for line in output.splitlines() if line.startswith(f'{{"{first_member}":')]
    found: dict[str, Any] = json.loads(line)
    return found


def require_nothing_left(output: str, environment: dict[str, str]) -> None:
    assert "Its data is deleted." in output
    assert list(Path(environment["YESSER_HOME"]).iterdir()) == []


def test_the_quick_starts_events_are_in_the_plan_with_their_receipts_and_proofs(environment: dict[str, str]) -> None:
    blocks = shell_blocks(PAGE)
    assert blocks[-1].strip() == END
    output = printed("".join(blocks), environment)
    group = document(output, "log_index")["services"]["groups"]["1"]
    assert (group["registered"], group["launched"], group["live"]) == (2, 1, 1), "those of all three ways"
    assert "FIVE-YEAR" in output
    (receipt,) = document(output, "receipt")["receipt"]["events"]
    verdict = document(output, "receipts")["receipts"][0]
    assert receipt["id"] == "registered-1", "what was sent with curl"
    assert (verdict["state"], verdict["address"]) == ("registered", receipt["address"])
    proof = verified_proof(Proof(**document(output, "index")), None)
    assert json.loads(event_bytes(proof.entry.encode()))["id"] == "registered-2", "what went to Kafka"
    assert re.search(r"^launch-1 is entry \d+ of \d+, proven by \d+ hashes$", output, re.MULTILINE), "in Python"
    assert re.search(r"^\d+ entries give the signed root [0-9a-f]{64}\.$", output, re.MULTILINE)
    require_nothing_left(output, environment)


@pytest.mark.accept
def test_each_way_to_send_runs_on_the_sandbox_as_its_page_says(environment: dict[str, str]) -> None:
    for page, ended in (
        ("gateway", r'"index":\d+'),
        ("outbox", r"0 waiting\.\nLast sent: registered-permits"),
        ("kafka", r'"id":"launch-passports","state":"registered"|"state":"registered".*launch-passports'),
    ):
        block = next(
            block for block in shell_blocks(ROOT / "docs" / f"{page}.md") if block.startswith("yesser sandbox up")
        )
        assert re.search(ended, printed("export YESSER_LANG=en\n" + block, environment)), page


@pytest.mark.accept
def test_readmes_events_are_in_the_plan_and_their_entry_is_shown_verbatim(
    environment: dict[str, str],
) -> None:
    """On the sandbox of the quick start, which it does not end. The tests run in what `make setup` made."""
    *blocks, _ = shell_blocks(PAGE)
    printed("".join(blocks), environment)
    (block,) = [block for block in shell_blocks(README) if "yesser publish" in block]
    setup, commands = block.split("\n", 1)
    assert setup == "make setup && . .venv/bin/activate"
    assert commands.splitlines()[-1].startswith(END)
    output = printed(commands, environment)
    assert "2 accepted" in output
    assert "FIVE-YEAR" in output
    (entry,) = [line for line in output.splitlines() if '"from":"agency.sandbox.events/0/0"' in line]
    (sent,) = [block for block in shell_blocks(PAGE) if "registered.json" in block]
    assert sent.split("<<'EOF'\n")[1].split("\nEOF")[0].splitlines()[0] in entry
    assert re.search(r"signed root [0-9a-f]{64}", output)
    assert "agencies add" not in README.read_text(encoding="utf-8"), "the sandbox has an agency of its own"
    require_nothing_left(output, environment)
