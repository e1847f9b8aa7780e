"""A campaign team's day by the commands alone, on the whole system: inbox, ack, air, complete, coverage."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from consumers.campaigns import commands
from events.errors import YesserError
from events.reports.campaign_reports import acknowledgement
from events.types.awareness import AwarenessCampaignAcknowledged
from events.types.services import ServiceLaunched, ServiceRegistered
from infra.cli import cli
from infra.command_line.exit_codes import ExitCode, exit_code
from producers.awareness.send import NotTheOwner, UnknownCampaign, report
from producers.errors import OutcomeUnknown
from producers.sdk.client import AgencyClient
from producers.sdk.connection import ClientLimits
from producers.sdk.typed_events import typed_event
from tests.gateway_access import GatewayAccess, grant_access
from tests.scenarios.system import System

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
    environment = {"YESSER_HOME": str(access.system.home), "YESSER_AGENCY": CODE, "COLUMNS": "200"}

    def campaigns(name: str, *arguments: str) -> Result:
        sends = ("--token-file", str(token)) if name in ("ack", "air", "complete") else ()
        return CliRunner(env=environment).invoke(cli, ["campaigns", name, *arguments, *sends])

    return campaigns


def launch(access: GatewayAccess, service_id: str) -> str:
    """Register and launch a service; its campaign, once it is in the log."""

    async def launched() -> int:
        name = {"ar": "حجز المواعيد", "en": "Appointments"}
        registered = {"service_id": service_id, "plan_id": "P", "group": 1, "name": name}
        data = {"service_id": service_id, "on": "2026-11-20", "channels": ["web"], "url": "https://health.example/a"}
        events = [
            typed_event(CODE, ServiceRegistered.model_validate(registered), f"registered-{service_id}", TIME),
            typed_event(CODE, ServiceLaunched.model_validate(data), f"launched-{service_id}", TIME),
        ]
        async with access.client() as client:
            receipts = (await client.send_many(events)).receipts
            return (await client.wait_registered(receipts[1])).index

    index = asyncio.run(launched())
    access.system.settle()
    return f"service-launched.i{index}"


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


def test_from_launched_to_completed_by_inbox_commands_alone(access: GatewayAccess, run: Callable[..., Result]) -> None:
    campaign = launch(access, "SVC-STORY")
    inbox = ok(run("inbox"))
    assert campaign in inbox
    assert f"$ yesser campaigns ack {campaign} --by DESK" in inbox
    assert "لم تُستلم بعد" in inbox
    (row,) = json.loads(ok(run("coverage", "--json", "--agency", CODE)))["services"]
    assert (row["service_id"], row["silent"], row["missing_channels"]) == ("SVC-STORY", True, ["tv", "radio", "print"])

    assert f"Next: yesser campaigns air {campaign} --channel tv" in ok(run("ack", campaign, "--by", "press-desk"))
    for channel, reach in (("tv", "900000"), ("radio", "40000"), ("print", "70000")):
        assert "Accepted as entry" in ok(
            run("air", campaign, "--channel", channel, *OUTLET, "--reach", reach, "--on", "2026-11-25")
        )
    assert f"$ yesser campaigns complete {campaign}" in ok(run("inbox"))
    ok(run("complete", campaign))
    assert campaign not in ok(run("inbox"))

    found = shown(run, campaign)
    assert (found["state"], found["acknowledged_by"], found["reach"]) == ("completed", "press-desk", 1_010_000)
    assert [step["type"].removeprefix("awareness.") for step in found["history"]] == [
        *("campaign.triggered", "campaign-acknowledged"),
        *["campaign-aired"] * 3,
        "campaign-completed",
    ]
    assert found["acknowledged_at"] == found["history"][1]["recorded"]
    paper = ok(run("show", campaign))
    for part in ("https://health.example/a", "20 November 2026", "press-desk", "Channel One", "حجز المواعيد"):
        assert part in paper
    covered = json.loads(ok(run("coverage", "--json", "--agency", CODE)))
    (row,) = [row for row in covered["services"] if row["service_id"] == "SVC-STORY"]
    assert (row["days_to_first_airing"], row["reach"], row["silent"]) == (5, 1_010_000, False)
    lines = ok(run("coverage", "--csv", "--agency", CODE)).splitlines()
    assert [line.split(",")[7:9] for line in lines if "SVC-STORY" in line] == [
        ["tv", "1"],
        ["radio", "1"],
        ["print", "1"],
    ]


def test_the_same_acknowledgement_again_is_not_sent_again_and_another_desks_comes_too_late(
    access: GatewayAccess, run: Callable[..., Result]
) -> None:
    campaign = launch(access, "SVC-TWICE")
    first = json.loads(ok(run("ack", campaign, "--by", "press-desk", "--json")))
    assert (first["effect"], first["acknowledged_by"], first["index"]) == (
        "applied",
        "press-desk",
        first["effective_index"],
    )
    before = sent(access, CODE)
    again = json.loads(ok(run("ack", campaign, "--by", "press-desk", "--json")))
    assert (again["effect"], again["index"]) == ("repeated", first["index"])
    late = run("ack", campaign, "--by", "night-desk")
    assert late.exit_code == ExitCode.ANSWER_IS_NO
    assert re.search(rf"Acknowledged by press-desk at [-0-9: ]+, entry {first['index']}\.", late.output)
    assert sent(access, CODE) == before, "nothing was sent"


def test_where_another_programme_acknowledged_first_the_log_decides(
    access: GatewayAccess, run: Callable[..., Result]
) -> None:
    campaign = launch(access, "SVC-RACE")
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


def test_an_airing_before_the_acknowledgement_counts_and_is_reported_once(
    access: GatewayAccess, run: Callable[..., Result]
) -> None:
    campaign = launch(access, "SVC-EARLY")
    given = ("--channel", "tv", *OUTLET, "--on", "2026-11-25")
    output = ok(run("air", campaign, *given, "--reach", "10"))
    assert f"Next: yesser campaigns ack {campaign}" in output
    assert "It was reported before" in ok(run("air", campaign, *given, "--reach", "10"))
    corrected = run("air", campaign, *given, "--reach", "11")
    assert corrected.exit_code == ExitCode.ANSWER_IS_NO
    assert "Nothing has changed." in corrected.output
    evening = json.loads(ok(run("air", campaign, *given, "--reach", "11", "--airing-id", "evening", "--json")))
    assert (evening["effect"], evening["state"]) == ("applied", "triggered")
    assert shown(run, campaign)["aired"] == {"tv": 2, "radio": 0, "print": 0}
    late = run("complete", campaign)
    assert "no airing yet on: radio, print" in late.stderr
    assert late.exit_code == 0, "the team decides when it has done its work"


def test_without_the_database_the_gateway_shows_the_same(
    access: GatewayAccess, run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "_PAGE_ROWS", 1)  # so that the list has several pages
    launch(access, "SVC-REMOTE-TOO")
    campaign = launch(access, "SVC-REMOTE")
    token = tmp_path / "token"
    token.write_text(access.token)
    remote = ("--gateway", access.address, "--token-file", str(token))

    def elsewhere(*arguments: str) -> Result:
        environment = {"YESSER_HOME": str(tmp_path / "nothing"), "YESSER_AGENCY": CODE}
        return CliRunner(env=environment).invoke(cli, ["campaigns", *arguments])

    for command in (("inbox",), ("show", campaign)):
        far = elsewhere(*command, *remote)
        assert ok(far) == ok(run(*command))
        assert campaign in far.output
    assert "has no team nobody" in str(elsewhere("inbox", "--team", "nobody", *remote).exception)
    of_another = elsewhere("inbox", "--agency", "labour", *remote)
    assert "403" in str(of_another.exception)
    assert exit_code(of_another.exception or Exception()) == ExitCode.ANSWER_IS_NO
    away = elsewhere("inbox", "--gateway", "http://127.0.0.1:1", "--token-file", str(token))
    assert exit_code(away.exception or Exception()) == ExitCode.TRY_AGAIN


def test_nothing_is_sent_about_a_campaign_of_another_agency_or_one_that_is_not_there(
    access: GatewayAccess, run: Callable[..., Result]
) -> None:
    campaign = launch(access, "SVC-OWN")
    other = grant_access(access.system, "press-other")
    before = sent(access, CODE, other.agency)

    async def reported(as_agency: GatewayAccess, campaign_id: str) -> None:
        async with as_agency.client() as client:
            action = acknowledgement(campaign_id, "desk", "2026-11-26")
            await report(client, as_agency.agency, action, lambda _: None, 10)

    with pytest.raises(NotTheOwner, match=f"{campaign} is of {CODE}, not press-other"):
        asyncio.run(reported(other, campaign))
    with pytest.raises(UnknownCampaign, match=r"service-launched\.i999999"):
        asyncio.run(reported(access, "service-launched.i999999"))
    unknown = run("ack", "service-launched.i999999", "--by", "desk")
    assert isinstance(unknown.exception, YesserError)
    assert exit_code(unknown.exception) == ExitCode.ANSWER_IS_NO
    access.system.settle()
    assert sent(access, CODE, other.agency) == before


@asynccontextmanager
async def without_answers_to_posts(port: int) -> AsyncIterator[str]:
    """The gateway behind a connection that breaks after each POST was handed on."""
    connections: set[asyncio.Task[None]] = set()

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        gateway_reader, gateway_writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            while request := await reader.read(65_536):
                gateway_writer.write(request)
                if request.startswith(b"POST"):
                    with suppress(TimeoutError):
                        async with asyncio.timeout(1):  # time for its body, and for the gateway to store it
                            while rest := await reader.read(65_536):
                                gateway_writer.write(rest)
                    return
                writer.write(await gateway_reader.read(1 << 20))
        finally:
            for each in (gateway_writer, writer):
                each.close()
            await asyncio.gather(gateway_writer.wait_closed(), writer.wait_closed(), return_exceptions=True)

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.add(asyncio.create_task(forward(reader, writer)))

    server = await asyncio.start_server(begin, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


def test_where_the_outcome_is_unknown_the_same_command_again_is_safe(
    access: GatewayAccess, run: Callable[..., Result], tmp_path: Path
) -> None:
    campaign = launch(access, "SVC-UNKNOWN")

    async def cut() -> None:
        port = access.system.parts()["gateway"]["port"]
        async with (
            without_answers_to_posts(port) as address,
            AgencyClient(address, access.token, limits=ClientLimits(time_limit_s=4)) as client,
        ):
            await report(client, CODE, acknowledgement(campaign, "press-desk", "2026-11-26"), lambda _: None, 10)

    with pytest.raises(OutcomeUnknown) as unknown:
        asyncio.run(cut())
    assert exit_code(unknown.value) == ExitCode.TRY_AGAIN
    access.system.settle()
    again = json.loads(ok(run("ack", campaign, "--by", "press-desk", "--json")))
    assert (again["effect"], again["acknowledged_by"]) == ("repeated", "press-desk")
    assert len(shown(run, campaign)["history"]) == 2
