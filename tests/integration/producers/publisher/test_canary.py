"""`yesser canary` takes an event's whole way, and tells how long that took."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from prometheus_client.parser import text_string_to_metric_families

from infra.cli import cli
from infra.errors import WaitTimedOut
from producers.publisher.canary_command import send_canary
from producers.sdk.problems import GatewayProblem
from tests.gateway_access import GatewayAccess, grant_access
from tests.scenarios.system import System


@pytest.fixture(scope="module")
def access(system: System) -> GatewayAccess:
    return grant_access(system, "canary")


def test_the_time_until_all_figures_contain_it_is_printed_and_written(access: GatewayAccess, tmp_path: Path) -> None:
    token, metrics = tmp_path / "token", tmp_path / "yesser.prom"
    token.write_text(access.token)
    plan = access.system.ask("plan")
    options = ["--origin", "riyadh", "--token-file", str(token), "--metrics", str(metrics), "--json"]
    result = CliRunner(env={"YESSER_HOME": str(access.system.home)}).invoke(cli, ["canary", *options])
    assert result.exit_code == 0, (result.output, result.exception)
    canary = json.loads(result.stdout_bytes)
    assert 0 < canary["registered_s"] <= canary["visible_s"]
    assert access.system.ask("log", "show", str(canary["index"]))["event"]["subject"] == "canary/riyadh"
    assert access.system.ask("plan") | {"log_index": 0} == plan | {"log_index": 0}
    written = {
        sample.name: (sample.labels, sample.value)
        for family in text_string_to_metric_families(metrics.read_text())
        for sample in family.samples
    }
    assert written["yesser_canary_visible_seconds"] == ({"origin": "riyadh"}, canary["visible_s"])
    assert written["yesser_canary_visible_timestamp_seconds"][1] == pytest.approx(datetime.now(UTC).timestamp(), abs=60)


def test_what_fails_is_said(access: GatewayAccess) -> None:
    async def send(origin: str, timeout_s: float) -> None:
        await send_canary(access.client(), origin, datetime.now(UTC), timeout_s)

    with pytest.raises(GatewayProblem, match="/data/origin"):
        asyncio.run(send("not an id", 60))
    with pytest.raises(WaitTimedOut):
        asyncio.run(send("late", 0))
