"""Rules for people and machines, and the comparison of two sets of triggers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner

from consumers.programme.campaigns.commands import NoRule, campaigns_group
from consumers.programme.campaigns.rules.in_force import release_rules
from consumers.programme.campaigns.trial.trial import compare

BRIEF = {"ar": "م", "en": "b"}
TRIGGER: dict[str, Any] = {
    "rule": "r",
    "cause_index": 7,
    "kind": "general",
    "owner": "health",
    "channels": ["tv"],
    "due_on": "2026-11-15",
    "brief": BRIEF,
    "reason": BRIEF,
}


def trigger(name: str, **changes: Any) -> dict[str, Any]:
    return {**TRIGGER, "campaign_id": name, **changes}


def run(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(campaigns_group, arguments, env={"COLUMNS": "200"})
    assert result.exit_code == code, result.output
    return result.output


def test_two_sets_are_compared_by_campaign_and_by_what_a_trigger_says() -> None:
    before = {name: trigger(name) for name in ("kept", "moved", "gone")}
    after = {
        "kept": trigger("kept"),
        "moved": trigger("moved", due_on="2026-11-16", channels=[]),
        "new": trigger("new"),
    }
    trial = compare(20, 5, before, after, ["gone", "kept"])
    assert [row.campaign_id for row in trial.fired] == ["new"]
    assert [(row.campaign_id, row.in_log) for row in trial.no_longer] == [("gone", True)]
    assert [(row.campaign_id, row.differs_in) for row in trial.changed] == [("moved", ("channels", "due_on"))]
    assert trial.unchanged == 1


def test_the_rules_in_force_are_listed_and_shown() -> None:
    text = run("rules")
    for part in ("service-launched", "service.launched", "The programme office", "مكتب البرنامج"):
        assert part in text
    document = orjson.loads(run("rules", "--json"))
    assert (document["version"], document["from"]) == (1, "release")
    assert [rule["name"] for rule in document["rules"]] == [rule.name for rule in release_rules().rules]
    assert "{track}" in run("rules", "show", "quota-met")
    assert orjson.loads(run("rules", "show", "quota-met", "--json"))["when"] == "quota-met"
    assert isinstance(CliRunner().invoke(campaigns_group, ["rules", "show", "nothing"]).exception, NoRule)


def test_a_check_lists_every_fault_in_both_languages(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("name: late\nversion: 1\nwhen: campaign.triggered\n", encoding="utf-8")
    text = run("rules", "check", str(tmp_path), code=1)
    assert "a.yaml /when" in text
    assert "قاعدة عن حملة" in text
    assert "would trigger itself" in text
    document = orjson.loads(run("rules", "check", str(tmp_path), "--json", code=1))
    assert document["ok"] is False
    pointers = [fault["pointer"] for fault in document["faults"]]
    assert pointers == ["/brief", "/channels", "/due_working_days", "/kind", "/owner", "/reason", "/when"]


@pytest.mark.parametrize("since", ["yesterday", "2026-13-01", "-1", "0001-01-01", "2026-W48-3"])
def test_a_beginning_is_an_index_or_a_date(since: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("", encoding="utf-8")
    assert "neither an index nor a date" in run("try", str(tmp_path), f"--since={since}", code=2)
