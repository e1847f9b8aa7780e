"""Campaigns read from a gateway: every page, what it has not, and why it did not answer. It is asked once."""

from __future__ import annotations

from typing import Any

import click
import httpx
import pytest
from click.testing import CliRunner

from consumers.documents.campaigns.campaigns import CampaignAndHistory, InboxItem
from consumers.documents.programme.directory import ACTIVITY, Activity, Counted
from consumers.documents.tables import grid
from consumers.programme.projections.commands import services
from consumers.replay.as_of.query import print_view
from infra.command_line.exit_codes import ExitCode, exit_code
from infra.tls.client import NotTrusted
from infra.tls.plaintext import PlaintextRefused
from producers.sdk.answers import NotAGateway
from producers.sdk.problems import GatewayProblem, NotServed
from producers.sdk.read_api import Gateway
from tests.every import every
from tests.world.campaigns import CAMPAIGN, campaign, inbox_item
from tests.world.gateways import answering

GATEWAY = Gateway("https://gateway", "yat_x")
SHOWN = {"log-index": "7"}


def shown(document: Any, **headers: str) -> httpx.Response:
    return httpx.Response(200, json=document, headers=SHOWN | headers)


def test_a_past_that_a_gateway_does_not_show_is_refused_and_not_read_elsewhere() -> None:
    found = CliRunner(env={"YESSER_TOKEN": "yat_x"}).invoke(services, "list --gateway https://gateway --as-of-index 5")
    assert (found.exit_code, "past of the plan alone" in found.output) == (2, True)


def test_a_list_has_all_pages_or_as_many_rows_as_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    row = {**CAMPAIGN, "overdue": False}
    answers = [shown([row]), shown([row], link='</v1/inbox?agency=health&after=x>; rel="next"')]
    answering(monkeypatch, lambda _: answers.pop())
    assert GATEWAY.rows(InboxItem, "/v1/inbox", agency="health", team=None) == [inbox_item()] * 2
    answering(monkeypatch, lambda _: shown([row, row], link='</v1/inbox?after=x>; rel="next"'))
    assert GATEWAY.rows(InboxItem, "/v1/inbox", 1) == [inbox_item()]
    answering(monkeypatch, lambda _: shown(CAMPAIGN))
    assert GATEWAY.document(CampaignAndHistory, "/v1/campaigns/C") == campaign()
    answering(monkeypatch, lambda _: httpx.Response(404))
    assert GATEWAY.rows(InboxItem, "/v1/inbox") is None
    assert GATEWAY.document(CampaignAndHistory, "/v1/campaigns/C") is None


@every(
    ("answer", "error", "code"),
    [
        (httpx.ConnectError("refused"), NotServed, ExitCode.TRY_AGAIN),
        (NotTrusted("set YESSER_TLS_CA"), NotServed, ExitCode.TRY_AGAIN),
        (httpx.Response(503), NotServed, ExitCode.TRY_AGAIN),
        (httpx.Response(401), GatewayProblem, ExitCode.ANSWER_IS_NO),
        (httpx.Response(200, json=CAMPAIGN), NotAGateway, ExitCode.ANSWER_IS_NO),
        (shown({"campaign_id": "C"}), NotAGateway, ExitCode.ANSWER_IS_NO),
    ],
)
def test_why_there_is_no_document_is_told_at_once(
    answer: httpx.Response | Exception,
    error: type[Exception],
    code: ExitCode,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = [answer]

    def once(_: httpx.Request) -> httpx.Response:
        given = answers.pop()
        if isinstance(given, httpx.Response):
            return given
        raise given

    answering(monkeypatch, once)
    with pytest.raises(error) as found:
        GATEWAY.document(CampaignAndHistory, "/v1/campaigns/C")
    assert exit_code(found.value) is code


def test_the_token_leaves_this_machine_over_tls_alone() -> None:
    with pytest.raises(PlaintextRefused, match="--gateway"):
        Gateway("http://gateway.example", "yat_x").document(CampaignAndHistory, "/v1/campaigns/C")


def test_the_tables_of_a_command_have_the_names_of_the_gateway_asked_in_addresses_of_a_bounded_length(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def named(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params["codes"])
        rows = [dict(zip(("kind", "code"), one.split("/"), strict=True)) for one in asked[-1].split(",")]
        return shown([{**row, "name": {"ar": "وزارة", "en": f"Ministry of {row['code']}"}} for row in rows])

    answering(monkeypatch, named)
    sent = Counted(count=1, first_index=0, last_index=0)
    rows = [Activity(agency=f"a{number}", events={}, refusals=sent) for number in range(51)]

    @click.command()
    @click.option("--as-json", is_flag=True)
    def listed(as_json: bool) -> None:
        print_view(rows, as_json, lambda: [grid(ACTIVITY, rows)], gateway=GATEWAY)

    text = CliRunner().invoke(listed).output
    assert text.count("Ministry of") == 51
    assert [one.count(",") + 1 for one in asked] == [50, 1]
    assert "Ministry" not in CliRunner().invoke(listed, ["--as-json"]).output
    answering(monkeypatch, lambda _: httpx.Response(404))
    assert "Ministry" not in CliRunner().invoke(listed).output, "a gateway of an earlier release has no names"
