"""The documents that the forms of teams and webhooks stand for."""

from __future__ import annotations

import re

import orjson

from consumers.console.pages.campaigns.teams import new_subscription, new_team
from consumers.console.pages.campaigns.webhooks import redelivery
from consumers.delivery.routing.matching import KINDS
from consumers.delivery.teams.inputs import EVENT_NAMES, NewSubscription, NewTeam, Redelivery, validated
from consumers.delivery.webhooks.route import EXAMPLE
from consumers.documents.teams.teams import NotSentReason
from consumers.documents.teams.webhooks import AttemptError, MessageKind
from tests.paths import ROOT
from tests.world.documents import as_json
from tests.world.pages import CSRF, TEAM, Replies, browser

GIVEN = {
    "team": " press ",
    "name_ar": "مكتب الإعلام",
    "name_en": "Press desk",
    "language": "en",
    "contacts": "media@health.gov.example\r\nduty@health.gov.example",
}


def test_a_form_is_the_document_that_the_gateway_takes_and_what_is_not_chosen_means_all() -> None:
    team = validated(NewTeam, as_json(new_team(GIVEN)))
    assert (team.team, team.language) == ("press", "en")
    assert team.contacts == ["media@health.gov.example", "duty@health.gov.example"]
    whole = validated(NewSubscription, as_json(new_subscription("press", {"route": "email"}, {})))
    assert (whole.rules, whole.channels, whole.services, whole.from_date) == (None, None, None, None)
    given = {"route": "ep_aaaaaaaaaaaaaaa2", "services": " S-1، S-2\r\nS-3,S-4 ", "from_date": "2026-11-01"}
    chosen = {"rules": ["quota-met"], "channels": ["tv"]}
    some = validated(NewSubscription, as_json(new_subscription("press", given, chosen)))
    assert (some.route, some.endpoint_id) == ("webhook", "ep_aaaaaaaaaaaaaaa2")
    assert (some.rules, some.channels, some.services) == (["quota-met"], ["tv"], ["S-1", "S-2", "S-3", "S-4"])
    assert some.from_date == "2026-11-01"


async def test_a_long_list_of_services_and_a_long_address_are_sent_whole() -> None:
    services = [f"commercial-register-certificate-number-{n:02}" for n in range(60)]
    url = f"https://press.health.gov.example/{'x' * 3_000}"
    created = {"endpoint_id": "ep_aaaaaaaaaaaaaaa2", "secret": "s", "public_key": "k"}
    gateway = Replies(lambda *_: (201, created))
    async with browser(TEAM, gateway=gateway) as client:
        given = {"csrf": CSRF, "route": "email", "services": "\r\n".join(services)}
        await client.post("/campaigns/teams/press/subscribe", data=given)
        await client.post("/campaigns/teams/press/new-webhook", data={"csrf": CSRF, "url": url})
    subscription, webhook = (orjson.loads(request.content or b"") for request in gateway.requests)
    assert subscription["services"] == services
    assert webhook["url"] == url


def test_a_redelivery_is_of_a_message_or_of_a_span() -> None:
    assert as_json(redelivery({"message_id": "7"})) == {"message_id": 7}
    given = {"since": "2026-11-26 08:00", "until": ""}
    since = "2026-11-26T08:00:00+03:00"
    assert validated(Redelivery, as_json(redelivery(given))).since == since
    assert as_json(redelivery(given | {"until": "2026-11-27"})) == {
        "since": since,
        "until": "2026-11-27T00:00:00+03:00",
    }
    assert [*as_json(redelivery({"since": "", "until": "later"}))] == ["since", "until"]
    for message_id in ("9" * 30, "9" * 5_000, "-1", "x"):
        assert [*as_json(redelivery({"message_id": message_id}))] == ["since"], message_id


def text_of(*names: str) -> str:
    return "".join((ROOT / f"consumers/delivery/{name}.py").read_text(encoding="utf-8") for name in names)


def test_every_error_kind_and_reason_of_what_was_sent_has_words() -> None:
    _, _, body = text_of("webhooks/client").partition("def _error_class")
    errors = {*re.findall(r'return "([a-z-]+)"', body.partition("def _since_ms")[0])}
    assert errors - {"name-not-found"} | {"no-secret"} == {one.value for one in AttemptError}, (
        "one is for the metric alone"
    )
    kinds = {KINDS.get(name, name) for name in EVENT_NAMES} | {EXAMPLE}
    assert kinds == {one.value for one in MessageKind}
    reasons = re.findall(r'NotSent\("failed", "([a-z-]+)"', text_of("mail/notices", "mail/route"))
    assert {*reasons, "stopped", "unconfirmed", "later", "refused"} == {one.value for one in NotSentReason}
