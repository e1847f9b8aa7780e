"""`yesser audit all`: which checks run on what, what each said, and the exit code of the worst."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
import pytest
from click.testing import CliRunner

from consumers.proof.commands import audit_all
from consumers.proof.commands.audit_command import audit

RUN = list[list[str]]


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> tuple[RUN, dict[str, str]]:
    """The commands that ran, and for each what a shell does in its place."""
    seen: RUN = []
    programs: dict[str, str] = {}

    def command(*words: str) -> list[str]:
        seen.append(list(words))
        return ["sh", "-c", programs.get(words[1], "echo '{\"ok\":true}'")]

    monkeypatch.setattr(audit_all, "subprocess_command", command)
    return seen, programs


def run(*words: str) -> Any:
    return CliRunner().invoke(audit, ["all", *words])


def verdicts(document: Mapping[str, Any]) -> dict[str, int]:
    return {check["command"]: check["exit_code"] for check in document["checks"]}


def test_the_database_gets_every_check(ran: tuple[RUN, dict[str, str]]) -> None:
    result = run("--json", "--policy", __file__, "--accounts-key", __file__)
    assert result.exit_code == 0, result.output
    document = orjson.loads(result.stdout)
    names = ["verify --database", "completeness", "replay", "commitments"]
    assert list(verdicts(document)) == [*(f"audit {name}" for name in names), "rebuild --compare"]
    assert (document["ok"], document["checks"][0]["result"]) == (True, {"ok": True})
    first, second, third, *rest = ran[0]
    policy = ["--policy", __file__]
    assert first == ["audit", "verify", *policy, "--database", "--accounts-key", __file__, "--json"]
    assert second == ["audit", "completeness", *policy, "--json"]
    assert third[:-2] == ["audit", "replay", *policy, "--into"]
    assert rest == [["audit", "commitments", "--json"], ["rebuild", "--compare", "--json"]]


def test_a_log_elsewhere_gets_those_that_need_no_database(ran: tuple[RUN, dict[str, str]]) -> None:
    result = run("--json", "http://log.example/", "--vkey", "KEY")
    assert list(verdicts(orjson.loads(result.stdout))) == ["audit verify", "audit completeness", "audit replay"]
    assert all(words[2:5] == ["http://log.example/", "--vkey", "KEY"] for words in ran[0])
    assert run("http://log.example/", "--accounts-key", __file__).exit_code == 2


def test_the_table_says_what_was_compared_with_what_and_what_was_not(ran: tuple[RUN, dict[str, str]]) -> None:
    ran[1]["verify"] = """echo '{"ok":true,"database":{"not_compared":["console.session"]}}'"""
    ran[1]["commitments"] = """echo '{"commitments":[],"ok":true}'"""
    ran[1]["replay"] = """echo '{"ok":true,"read_models":[{"committed":null}]}'"""
    shown = run().output
    assert shown.count("nothing to compare with") == 2, "no commitment is no agreement with one"
    assert shown.count("sound") == 3
    assert "Not compared: whether the events happened" in shown.replace("\u2068", "")
    assert "console.session" in shown
    ran[1]["replay"] = """echo '{"ok":true,"read_models":[{"committed":null},{"committed":{"ok":true}}]}'"""
    assert run().output.count("sound") == 4
    elsewhere = orjson.loads(run("--json", "http://log.example/", "--vkey", "KEY").stdout)
    assert any("the operator's database" in row["en"] for row in elsewhere["not_compared"])


def test_the_worst_ends_it_and_each_says_why(ran: tuple[RUN, dict[str, str]]) -> None:
    say = "echo waiting >&2; echo 'yesser: {}' >&2; exit {}"
    ran[1]["completeness"] = say.format("the database does not answer", 75)
    assert run().exit_code == 75
    ran[1]["commitments"] = "exit 1"
    assert run().exit_code == 1
    ran[1]["verify"] = say.format("entry 5 was changed", 76)
    result = run("--json")
    assert result.exit_code == 76
    document = orjson.loads(result.stdout)
    assert list(verdicts(document).values()) == [76, 75, 0, 1, 0]
    said = [check["said"] for check in document["checks"]]
    assert said[:3] == ["entry 5 was changed", "the database does not answer", ""]
    shown = run().output
    assert "not what was signed" in shown
    assert "entry 5 was changed" in shown
    ran[1]["replay"] = "kill -9 $$"
    assert verdicts(orjson.loads(run("--json").stdout))["audit replay"] == 70


def test_a_check_without_hashes_of_commitments_says_nothing_of_them() -> None:
    assert audit_all.has_no_commitment({"read_models": [{"committed": None}]})
    assert not audit_all.has_no_commitment({"read_models": [{"name": "revenue.account"}]})
