"""What the commands say of campaigns as of the date on which events occurred: no figure without its mark."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from consumers.campaigns import commands
from consumers.campaigns.coverage import commands as coverage_commands
from consumers.documents.campaigns.coverage import Coverage
from consumers.documents.document import document_of
from infra.cli import cli
from tests.every import every
from tests.unit.consumers.campaigns.covered import CHANNELS, LAUNCHED, NO_AIRING

SERVICE = {
    **LAUNCHED,
    "channels": dict.fromkeys(CHANNELS, NO_AIRING),
    **NO_AIRING,
    "missing_channels": CHANNELS,
    "silent": True,
}
TOTAL = {
    **dict.fromkeys(("launched_services", "on_all_three", "silent", "airings", "reach"), 0),
    "aired": {"tv": 0, "radio": 0, "print": 0},
    "median_days_to_first_airing": None,
}
JUDGED = {
    *("services.service_id", "services.name", "services.agency", "services.plan_id", "services.group"),
    *("services.launched_on", "services.launched_index", "agencies.agency"),
    *("agencies.launched_services", "total.launched_services"),
}
OCCURRED = ("--as-of-occurred", "2006-01-01")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs `yesser campaigns …` over a database of one launched service and no campaign."""
    row = {"log_index": 9, "services": [SERVICE], "agencies": [{"agency": "health", **TOTAL}], "total": TOTAL}

    async def no_campaign(*_: Any) -> list[Any]:
        return []

    async def silent(*_: Any) -> Coverage:
        return document_of(Coverage, row)

    monkeypatch.setattr(coverage_commands, "read", silent)
    monkeypatch.setattr(commands, "read", no_campaign)

    def invoke(*words: str) -> Result:
        result = CliRunner().invoke(cli, ["campaigns", *words])
        assert result.exit_code == 0, result.exception
        return result

    return invoke


def test_the_document_of_the_coverage_names_every_figure_of_airings(run: Any) -> None:
    document = json.loads(run("coverage", *OCCURRED, "--json").stdout)
    figures = {f"{part}.{name}" for part in ("services", "agencies") for name in document[part][0]}
    figures |= {f"total.{name}" for name in document["total"]}
    assert sorted(document["not_judged"]) == sorted(figures - JUDGED)


@every("command", ["coverage", "list"])
def test_text_and_csv_say_what_is_not_judged(run: Any, command: str) -> None:
    text = run(command, *OCCURRED)
    for part in ("are not judged here", "--as-of-recorded", "تُحسب الحملات من موعدها"):
        assert part in text.stdout.replace("\n", " ")
    csv = run(command, *OCCURRED, "--csv")
    assert "judged here" in csv.stderr
    assert "judged" not in csv.stdout
    if command == "list":
        result = run(command, *OCCURRED, "--json")
        assert json.loads(result.stdout) == []
        assert "judged here" in result.stderr


@every("point", [(), ("--as-of-index", "5"), ("--as-of-recorded", "2026-11-25T08:00:00Z")])
@every("command", ["coverage", "list"])
@every("form", [(), ("--json",), ("--csv",)])
def test_any_other_point_in_time_is_judged(
    run: Any, point: tuple[str, ...], command: str, form: tuple[str, ...]
) -> None:
    result = run(command, *point, *form)
    assert "judged" not in result.stdout + result.stderr
