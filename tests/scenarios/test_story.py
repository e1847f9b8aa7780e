"""`yesser demo` on the real services: the story ends where the independent model says, and is published only once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from infra.embedded.processes.signals import usual_parts
from tests.oracle.fold import fold
from tests.oracle.log import read_entry
from tests.paths import ROOT
from tests.scenarios.demo import Demo
from tests.scenarios.judge import read_log
from tests.scenarios.system import fresh_system

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]


def test_the_figures_are_those_of_the_independent_model_of_the_same_log(demo: Demo) -> None:
    """That these are the programme's facts: `tests/unit/producers/programme/test_story.py`."""
    teller, document = demo.system, demo.document
    raw = asyncio.run(read_log(teller.settings))[: document["plan"]["log_index"]]
    figures = fold(read_entry(index, entry) for index, entry in enumerate(raw))
    assert document["plan"] == figures.plan
    assert teller.ask("campaigns", "list") == figures.campaigns
    assert {row["account"]: row for row in document["ledger"]["accounts"]} == {
        account: {"account": account, **row} for account, row in figures.balances.items()
    }
    under_way = [row for row in document["campaigns"] if row["state"] != "completed"]
    assert sorted((row["state"], row["escalated"], row["aired"]["tv"]) for row in under_way) == [
        ("acknowledged", True, 1),
        ("triggered", False, 0),
        ("triggered", True, 0),
    ]
    assert (document["plan"]["anomalies"], document["plan"]["refusals"]) == (1, 1)
    awareness = document["plan"]["awareness"]
    assert awareness["on_all_three"] == awareness["launched_services"] == 100


@pytest.mark.accept
def test_run_again_it_adds_nothing_and_answers_only_its_own_campaigns(tmp_path: Path) -> None:
    """The launch came before the demo and waited for its registration: the campaign comes between the two runs, and its
    cause stands before all others."""
    registered, launched = tmp_path / "registered.ndjson", tmp_path / "launched.ndjson"
    for file, line in zip(
        (registered, launched), (ROOT / "docs" / "first-events.ndjson").read_bytes().splitlines(True), strict=True
    ):
        file.write_bytes(line)
    with fresh_system(only=usual_parts(), in_memory=True) as system:
        system.add_agencies([("another", "agency")])
        assert system.run("publish", str(launched), "--agency", "another", "--wait")["accepted"] == 1
        first = system.run("demo")
        assert system.run("publish", str(registered), "--agency", "another", "--wait")["accepted"] == 1
        again = system.run("demo")
    assert again["verification"]["ok"]
    assert again["plan"]["log_index"] == first["plan"]["log_index"] + 2, "the registration and its campaign"
    differing = {name for name, figures in again["plan"].items() if figures != first["plan"][name]}
    assert differing == {"log_index", "services", "awareness"}
    (other,) = (row for row in again["campaigns"] if row["owner"] == "another")
    assert all(other["cause_index"] < row["cause_index"] for row in first["campaigns"])
    assert (other["state"], other["aired"], other["reach"]) == ("triggered", {"tv": 0, "radio": 0, "print": 0}, 0)
    assert [row for row in again["campaigns"] if row["owner"] != "another"] == first["campaigns"]
    assert again["ledger"]["accounts"] == first["ledger"]["accounts"]
