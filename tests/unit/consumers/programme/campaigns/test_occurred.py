"""What the commands say of campaigns as of the date on which events occurred: no figure without its mark."""

from __future__ import annotations

import json
from contextlib import nullcontext
from typing import Any

import pytest
from click.testing import CliRunner, Result

from consumers.programme.campaigns import read as campaigns_read
from consumers.programme.campaigns.coverage import read as coverage_read
from infra.cli import cli
from tests.every import every
from tests.world.campaigns import coverage

JUDGED = {
    *("services.service_id", "services.name", "services.agency", "services.plan_id", "services.group"),
    *("services.launched_on", "services.launched_index", "agencies.agency"),
    *("agencies.launched_services", "total.launched_services"),
}


def run(*words: str) -> Result:
    result = CliRunner().invoke(cli, ["campaigns", *words])
    assert result.exit_code == 0, result.exception
    return result


@pytest.fixture(autouse=True)
def database(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two launched services, and no campaign."""

    async def read(*_: Any) -> Any:
        return []

    async def covered(*_: Any) -> Any:
        return coverage()

    monkeypatch.setattr(coverage_read, "view", lambda *_: nullcontext())
    monkeypatch.setattr(coverage_read, "coverage", covered)
    monkeypatch.setattr(campaigns_read, "campaigns_at", read)


@every("command", ["coverage", "list"])
def test_as_of_an_occurred_date_every_form_says_what_is_not_judged(command: str) -> None:
    occurred = (command, "--as-of-occurred", "2006-01-01")
    text = run(*occurred).stdout.replace("\n", " ")
    assert [part for part in ("are not judged here", "--as-of-recorded", "تُحسب الحملات") if part not in text] == []
    csv, document = run(*occurred, "--csv"), run(*occurred, "--json")
    assert ("judged here" in csv.stderr, "judged" in csv.stdout) == (True, False)
    if command == "list":
        assert (json.loads(document.stdout), "judged here" in document.stderr) == ([], True)
    else:
        shown = json.loads(document.stdout)
        rows = {"services": shown["services"][0], "agencies": shown["agencies"][0], "total": shown["total"]}
        figures = {f"{part}.{name}" for part, row in rows.items() for name in row}
        assert sorted(shown["not_judged"]) == sorted(figures - JUDGED)


@every("point", [(), ("--as-of-index", "5"), ("--as-of-recorded", "2026-11-25T08:00:00Z")])
@every("command", ["coverage", "list"])
@every("form", [(), ("--json",), ("--csv",)])
def test_any_other_point_in_time_is_judged(point: tuple[str, ...], command: str, form: tuple[str, ...]) -> None:
    result = run(command, *point, *form)
    assert "judged" not in result.stdout + result.stderr
