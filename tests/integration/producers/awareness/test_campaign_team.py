"""What a campaign team's commands do where a report comes twice, too early, from elsewhere, or with no answer.

Its whole day by the commands is a page of the documentation: `tests/scenarios/test_campaigns_page.py`.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from events.errors import YesserError
from events.reports.campaign_reports import acknowledgement
from events.types.awareness import AwarenessCampaignAcknowledged
from events.types.services import ServiceLaunched, ServiceRegistered
from infra.cli import cli
from infra.command_line.exit_codes import ExitCode, exit_code
from producers.awareness.send import NotTheOwner, UnknownCampaign, report
from producers.errors import OutcomeUnknown
from producers.sdk import read_api
from producers.sdk.connection import ClientLimits
from producers.sdk.typed_events import typed_event
from tests.gateway_access import GatewayAccess, grant_access
from tests.scenarios.system import System
from tests.world.gateways import answering

CODE = "press"
TIME = "2026-11-26T00:00:00+03:00"
OUTLET = ("--outlet-ar", "القناة الأولى", "--outlet-en", "Channel One")


@pytest.fixture(scope="module")
def access(system: System) -> GatewayAccess:
    return grant_access(system, CODE)


@pytest.fixture(scope="module")
def run(access: GatewayAccess, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Result]:
    """`yesser campaigns …` as the agency's press officer, whose token is in a file."""
    token = tmp_path_factory.mktemp("press") / "token"
    token.write_text(f"{access.token}\n")
    environment = {"YESSER_HOME": str(access.system.home), "COLUMNS": "200"}

    def campaigns(name: str, *arguments: str) -> Result:
        sends = ("--token-file", str(token)) if name in ("ack", "air", "correct", "complete") else ()
        own = ("--agency", CODE) if name == "inbox" else ()
        return CliRunner(env=environment).invoke(cli, ["campaigns", name, *arguments, *sends, *own])

    return campaigns


SERVICES = ("SVC-TWICE", "SVC-RACE", "SVC-EARLY", "SVC-REMOTE", "SVC-UNKNOWN")


@pytest.fixture(scope="module")
def campaigns(access: GatewayAccess) -> dict[str, str]:
    """Services that were registered and launched, each with its campaign, which is in the log."""

    async def launched() -> dict[str, str]:
        name, events = {"ar": "حجز المواعيد", "en": "Appointments"}, []
        for service_id in SERVICES:
            registered = {"service_id": service_id, "plan_id": "P", "group": 1, "name": name}
            data = {"service_id": service_id, "on": "2026-11-20", "channels": ["web"], "url": "https://health.example/"}
            events += [
                typed_event(CODE, ServiceRegistered.model_validate(registered), f"registered-{service_id}", TIME),
                typed_event(CODE, ServiceLaunched.model_validate(data), f"launched-{service_id}", TIME),
            ]
        async with access.client() as client:
            receipts = (await client.send_many(events)).receipts[1::2]
            entries = [await client.wait_registered(receipt) for receipt in receipts]
        return {
            service_id: f"service-launched.i{entry.index}" for service_id, entry in zip(SERVICES, entries, strict=True)
        }

    found = asyncio.run(launched())
    access.system.settle()
    return found


def ok(result: Result) -> str:
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def shown(run: Callable[..., Result], campaign_id: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(ok(run("show", campaign_id, "--json")))
    return document


def sent(access: GatewayAccess, *codes: str) -> list[int]:
    """The entries of these agencies: the platform's own may come at any time."""
    found = [access.system.ask("log", "find", "--agency", code, "--limit", "1000") for code in codes]
    assert all(len(entries) < 1000 for entries in found)
    return [entry["index"] for entries in found for entry in entries]


def test_the_same_acknowledgement_again_another_desks_and_what_is_not_ones_own_are_not_sent(
    access: GatewayAccess, campaigns: dict[str, str], run: Callable[..., Result]
) -> None:
    campaign = campaigns["SVC-TWICE"]
    first = json.loads(ok(run("ack", campaign, "--by", "press-desk", "--json")))
    assert (first["effect"], first["acknowledged_by"]) == ("applied", "press-desk")
    assert first["index"] == first["effective_index"]
    found = shown(run, campaign)
    assert (found["state"], found["acknowledged_at"]) == ("acknowledged", found["history"][1]["recorded"])
    assert f"Acknowledged by press-desk of Agency {CODE} ({CODE}) at" in run("inbox").output
    other = grant_access(access.system, "press-other")
    before = sent(access, CODE, other.agency)
    again = json.loads(ok(run("ack", campaign, "--by", "press-desk", "--json")))
    assert (again["effect"], again["index"]) == ("repeated", first["index"])
    late = run("ack", campaign, "--by", "night-desk")
    assert late.exit_code == ExitCode.ANSWER_IS_NO
    assert re.search(rf"Acknowledged by press-desk at [-0-9: ]+, entry {first['index']}\.", late.output)

    async def reported(campaign_id: str) -> None:
        async with other.client() as client:
            action = acknowledgement(campaign_id, "desk", "2026-11-26")
            await report(client, other.agency, action, lambda _: None, 10)

    with pytest.raises(NotTheOwner, match=f"{campaign} is of {CODE}, not press-other"):
        asyncio.run(reported(campaign))
    with pytest.raises(UnknownCampaign, match=r"service-launched\.i999999"):
        asyncio.run(reported("service-launched.i999999"))
    unknown = run("ack", "service-launched.i999999", "--by", "desk")
    assert isinstance(unknown.exception, YesserError)
    assert exit_code(unknown.exception) == ExitCode.ANSWER_IS_NO
    access.system.settle()
    assert sent(access, CODE, other.agency) == before, "nothing was sent"


def test_the_first_report_counts(access: GatewayAccess, campaigns: dict[str, str], run: Callable[..., Result]) -> None:
    campaign = campaigns["SVC-RACE"]
    data = AwarenessCampaignAcknowledged(campaign_id=campaign, by="newsroom", on="2026-11-26")

    async def acknowledged() -> int:
        async with access.client() as client:
            receipt = await client.send(typed_event(CODE, data, "newsroom-1", TIME))
            return (await client.wait_registered(receipt)).index

    index = asyncio.run(acknowledged())
    access.system.settle()
    late = run("ack", campaign, "--by", "press-desk")
    assert late.exit_code == ExitCode.ANSWER_IS_NO
    assert late.stderr.count("Acknowledged by newsroom") == 1, "a warning before it is sent"
    assert f"entry {index}" in late.stdout
    steps = [(step["by"], step["anomaly"]) for step in shown(run, campaign)["history"][1:]]
    assert steps == [("newsroom", None), ("press-desk", "already-acknowledged")]


def test_an_early_airing_counts_and_is_reported_once(campaigns: dict[str, str], run: Callable[..., Result]) -> None:
    campaign = campaigns["SVC-EARLY"]
    given = ("--channel", "tv", *OUTLET, "--on", "2026-11-25")
    output = ok(run("air", campaign, *given, "--reach", "10"))
    assert f"Next: yesser campaigns ack {campaign}" in output
    assert "It was reported before" in ok(run("air", campaign, *given, "--reach", "10"))
    other = run("air", campaign, *given, "--reach", "11")
    assert other.exit_code == ExitCode.ANSWER_IS_NO
    assert "Nothing has changed." in other.output
    evening = json.loads(ok(run("air", campaign, *given, "--reach", "11", "--airing-id", "evening", "--json")))
    assert (evening["effect"], evening["state"]) == ("applied", "triggered")
    found = shown(run, campaign)
    assert (found["aired"], found["reach"]) == ({"tv": 2, "radio": 0, "print": 0}, 21)
    lines = [line.split(",") for line in ok(run("coverage", "--csv", "--agency", CODE)).splitlines()]
    assert ["tv", "2"] in [line[7:9] for line in lines if "SVC-EARLY" in line]
    late = run("complete", campaign)
    assert "no airing yet on: radio, print" in late.stderr
    assert late.exit_code == 0, "the team decides when it has done its work"

    first, words = found["airings"][0], ("--reach", "4", "--reason-ar", "صفر زائد", "--reason-en", "A zero too many")
    correct = ("correct", campaign, str(first["index"]), *words)
    corrected = json.loads(ok(run(*correct, "--json")))
    assert (corrected["effect"], json.loads(ok(run(*correct, "--json")))["effect"]) == ("applied", "repeated")
    after = shown(run, campaign)
    assert after["airings"][0] == first | {"reach": 4, "corrected_index": corrected["index"]}
    assert (after["aired"], after["reach"], after["state"]) == (found["aired"], 15, "completed")
    assert after["history"][-1]["reason"] == {"ar": "صفر زائد", "en": "A zero too many"}
    assert "no airing of this entry" in str(run("correct", campaign, "0", *words).exception)


def test_without_the_database_the_gateway_shows_the_same(
    access: GatewayAccess,
    campaigns: dict[str, str],
    run: Callable[..., Result],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(read_api, "PAGE_ROWS", 1)  # so that each list has several pages
    campaign = campaigns["SVC-REMOTE"]
    token = tmp_path / "token"
    token.write_text(access.token)
    remote = ("--gateway", access.address, "--token-file", str(token))

    def elsewhere(*arguments: str) -> Result:
        environment = {"YESSER_HOME": str(tmp_path / "nothing"), "COLUMNS": "200"}
        return CliRunner(env=environment).invoke(cli, ["campaigns", *arguments])

    for command in (("inbox",), ("list",), ("coverage", "--agency", CODE), ("show", campaign), ("explain", campaign)):
        far = elsewhere(*command, *remote)
        assert ok(far)
        assert campaign in far.output or command[0] == "coverage"
        assert ok(elsewhere(*command, "--json", *remote)) == ok(run(*command, "--json"))
    for line in (
        "plan --as-of-occurred 2026-12-31",
        "services list",
        "services show SVC-REMOTE",
        "projects list",
        f"activity --agency {CODE}",
        "anomalies",
        f"refusals list --agency {CODE}",
        f"log find --agency {CODE}",
        f"log find --agency {CODE} --limit 1",
    ):
        here = CliRunner(env={"YESSER_HOME": str(access.system.home), "COLUMNS": "200"})
        away = CliRunner(env={"YESSER_HOME": str(tmp_path / "nothing"), "COLUMNS": "200"})
        words = line.split()
        rows = json.loads(ok(here.invoke(cli, [*words, "--json"])))
        far = json.loads(ok(away.invoke(cli, [*words, "--json", *remote])))
        if line == "anomalies":  # an agency reads its own
            assert far == [row for row in rows if row["agency"] == CODE]
            continue
        assert far == rows, line
        assert ok(away.invoke(cli, [*words, *remote])) == ok(here.invoke(cli, words)), "with the same names"
    assert "your agency has no team nobody" in str(elsewhere("inbox", "--team", "nobody", *remote).exception)
    of_another = elsewhere("inbox", "--agency", "labour", *remote)
    assert "403" in str(of_another.exception)
    assert exit_code(of_another.exception or Exception()) == ExitCode.ANSWER_IS_NO
    silent = elsewhere("inbox", "--gateway", "http://127.0.0.1:1", "--token-file", str(token))
    assert exit_code(silent.exception or Exception()) == ExitCode.TRY_AGAIN


def test_where_the_outcome_is_unknown_the_same_command_again_is_safe(
    access: GatewayAccess, campaigns: dict[str, str], run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = campaigns["SVC-UNKNOWN"]

    async def cut() -> None:
        gateway = httpx.AsyncHTTPTransport()

        async def breaking(request: httpx.Request) -> httpx.Response:
            """Each POST reaches the gateway, and its answer nobody."""
            response = await gateway.handle_async_request(request)
            if request.method == "POST":
                await response.aclose()
                raise httpx.ReadError("cut", request=request)
            return response

        with monkeypatch.context() as patched:
            answering(patched, breaking)
            async with access.client(ClientLimits(time_limit_s=4)) as client, gateway:
                await report(client, CODE, acknowledgement(campaign, "press-desk", "2026-11-26"), lambda _: None, 10)

    with pytest.raises(OutcomeUnknown) as unknown:
        asyncio.run(cut())
    assert exit_code(unknown.value) == ExitCode.TRY_AGAIN
    access.system.settle()
    again = json.loads(ok(run("ack", campaign, "--by", "press-desk", "--json")))
    assert (again["effect"], again["acknowledged_by"]) == ("repeated", "press-desk")
    assert len(shown(run, campaign)["history"]) == 2
