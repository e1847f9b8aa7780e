"""An agency manages its teams over HTTP: its own only, within limits, each change in the trail, without addresses."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import jsonschema_rs
import pytest
from nacl.signing import VerifyKey
from standardwebhooks import Webhook

from consumers.delivery.calendar.routes import new_address
from consumers.delivery.secrets import opening_keys, sign, unseal
from consumers.delivery.teams import endpoints, requests, subscriptions, teams
from infra.postgres.connection import Connection
from infra.settings import Settings
from producers.agencies.tokens import TokenRequest, create_token, hash_key
from tests.integration.consumers.api.read_api import REGISTER, closed, read_window
from tests.integration.consumers.delivery.teams.desk import AGENCIES, TEAM, URL, Office, open_office
from tests.unit.consumers.delivery.receivers import receiver
from tests.world.teams import WAITING, add_messages, delivering, for_hooks, live_launches, until

WEBHOOK = {"team": "press", "url": URL}
EMAIL = {"team": "press", "route": "email"}


@pytest.fixture
async def office(settings: Settings, connection: Connection) -> AsyncIterator[Office]:
    async with open_office(settings, connection) as opened:
        yield opened


async def with_webhook(office: Office) -> Any:
    await office.made("/v1/teams", TEAM)
    return await office.made("/v1/webhooks", WEBHOOK)


async def test_every_route_answers_as_the_document_says(office: Office, connection: Connection) -> None:
    paths = (await office.ask("GET", "/openapi.json")).json()["paths"]
    asked: set[tuple[str, str]] = set()

    async def check(method: str, route: str, body: object = None, **ids: object) -> Any:
        answer = await office.ask(method, route.format(**ids), body)
        described = paths[route][method.lower()]["responses"][str(answer.status_code)]
        asked.add((method, route))
        assert answer.status_code < 300, answer.text
        if answer.status_code == 204:
            assert answer.content == b""
            return None
        schema = closed(described["content"]["application/json"]["schema"])
        jsonschema_rs.validator_for(schema).validate(answer.json())
        return answer.json()

    assert (await check("POST", "/v1/teams", TEAM))["contacts"] == 2
    assert [row["team"] for row in await check("GET", "/v1/teams")] == ["press"]
    assert (await check("GET", "/v1/teams/{team}", team="press"))["name"] == TEAM["name"]
    swapped = {"contacts": TEAM["contacts"][::-1]}
    await check("PUT", "/v1/teams/{team}/contacts", swapped, team="press")
    contacts = await check("GET", "/v1/teams/{team}/contacts", team="press")
    assert (contacts["team"], contacts["contacts"]) == ("press", swapped["contacts"])
    address = (await check("POST", "/v1/teams/{team}/calendar-address", team="press"))["address"]
    assert "/calendars/due.ics?feed=" in address
    await check("DELETE", "/v1/teams/{team}/calendar-address", team="press")
    endpoint_id = (await check("POST", "/v1/webhooks", WEBHOOK))["endpoint_id"]
    await check("POST", "/v1/webhooks/{endpoint_id}/rotate", {}, endpoint_id=endpoint_id)
    (webhook,) = await check("GET", "/v1/webhooks")
    assert [secret["kind"] for secret in webhook["secrets"]] == ["v1", "v1a", "v1", "v1a"]
    await check("POST", "/v1/webhooks/{endpoint_id}/test", endpoint_id=endpoint_id)
    assert await check("GET", "/v1/webhooks/{endpoint_id}/attempts", endpoint_id=endpoint_id) == []
    await add_messages(connection, endpoint_id, ["failed"])
    (attempt,) = await check("GET", "/v1/webhooks/{endpoint_id}/attempts", endpoint_id=endpoint_id)
    again = {"message_id": attempt["message_id"]}
    await check("POST", "/v1/webhooks/{endpoint_id}/redeliver", again, endpoint_id=endpoint_id)
    await check("POST", "/v1/webhooks/{endpoint_id}/disable", endpoint_id=endpoint_id)
    assert await check("GET", "/v1/webhooks") == []
    await check("POST", "/v1/webhooks/{endpoint_id}/enable", endpoint_id=endpoint_id)
    (webhook,) = await check("GET", "/v1/webhooks")
    assert webhook["disabled_reason"] is None
    made = await check("POST", "/v1/subscriptions", EMAIL | {"rules": ["service-launched"], "channels": ["tv"]})
    assert (made["from_index"], made["backfill"]) == (0, None)
    (row,) = await check("GET", "/v1/subscriptions")
    assert (row["rules"], row["channels"], row["types"]) == (["service-launched"], ["tv"], None)
    await check("DELETE", "/v1/subscriptions/{subscription_id}", subscription_id=row["subscription_id"])
    assert await check("GET", "/v1/subscriptions") == []
    made = await check("POST", "/v1/expectations", {"type": "service.launched", "every_days": 7})
    assert (made["state"], made["by_day"]) == ("kept", None)
    assert await check("GET", "/v1/expectations") == [made]
    await check("DELETE", "/v1/expectations/{expectation_id}", expectation_id=made["expectation_id"])
    assert await check("GET", "/v1/expectations") == []
    await check("DELETE", "/v1/teams/{team}", team="press")
    assert await check("GET", "/v1/teams") == []
    documented = {
        (method.upper(), path)
        for path, operations in paths.items()
        for method, operation in operations.items()
        if "teams" in operation["tags"] and not path.endswith(".ics")
    }
    assert asked == documented

    names = [f"team-{number}" for number in range(5)]
    for name in names:
        await office.made("/v1/teams", TEAM | {"team": name})
        await office.made("/v1/webhooks", {"team": name, "url": f"{URL}/{name}"})
        await office.made("/v1/subscriptions", {"team": name, "route": "webhook"})
    for path in ("/v1/teams", "/v1/webhooks", "/v1/subscriptions"):
        found = await office.window.pages(path, 2, "agency", "health")
        assert [len(page) for page in found] == [2, 2, 1], path
        assert sorted(row["team"] for page in found for row in page) == names, path


async def test_a_team_is_its_agencys_alone(office: Office, connection: Connection) -> None:
    webhook = await with_webhook(office)
    subscribed = await office.made("/v1/subscriptions", EMAIL)
    before = await rows(connection)
    endpoint, number = webhook["endpoint_id"], subscribed["subscription_id"]
    for method, path, body in (
        ("GET", "/v1/teams/press", None),
        ("DELETE", "/v1/teams/press", None),
        ("GET", "/v1/teams/press/contacts", None),
        ("PUT", "/v1/teams/press/contacts", {"contacts": ["other@labour.example"]}),
        ("POST", "/v1/webhooks", WEBHOOK),
        ("POST", f"/v1/webhooks/{endpoint}/rotate", {}),
        ("POST", f"/v1/webhooks/{endpoint}/test", None),
        ("POST", f"/v1/webhooks/{endpoint}/disable", None),
        ("POST", f"/v1/webhooks/{endpoint}/enable", None),
        ("GET", f"/v1/webhooks/{endpoint}/attempts", None),
        ("POST", f"/v1/webhooks/{endpoint}/redeliver", {"message_id": 1}),
        ("POST", "/v1/subscriptions", EMAIL),
        ("DELETE", f"/v1/subscriptions/{number}", None),
    ):
        for stranger, kind in (("labour", "agency"), ("yesser", "office")):
            answer = await office.ask(method, path, body, agency=stranger, kind=kind)  # type: ignore[arg-type]
            assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (404, "not-found"), (method, path)
    for path in ("/v1/teams", "/v1/webhooks", "/v1/subscriptions"):
        assert (await office.ask("GET", f"{path}?ended=true", agency="labour")).json() == []
    assert await rows(connection) == before

    await office.made("/v1/teams", TEAM, agency="labour")
    body = EMAIL | {"route": "webhook", "endpoint_id": endpoint}
    answer = await office.ask("POST", "/v1/subscriptions", body, agency="labour")
    assert answer.status_code == 404, "another agency's webhook, for a team of its own"

    for kind, holder in (("auditor", "court-of-audit"), ("partner", "ACME"), ("treasury", "treasury")):
        for method in ("GET", "POST"):
            answer = await office.ask(method, "/v1/teams", TEAM, agency=holder, kind=kind)  # type: ignore[arg-type]
            assert answer.status_code == 403, (kind, method)
    asked = TokenRequest("agency", "labour", 1, scopes=("events:write", "events:read"))
    made = await create_token(connection, hash_key(office.window.settings), asked)
    office.window.tokens["agency", "labour"] = made.token
    answer = await office.ask("POST", "/v1/teams", TEAM, agency="labour")
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (403, "forbidden"), "without the scope"
    await connection.execute("INSERT INTO platform.suspension (agency, reason) VALUES ('health', '{}')")
    del office.window.tokens["agency", "health"]  # what is known of a token is known for a while
    answer = await office.ask("GET", "/v1/teams")
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (403, "suspended")


async def rows(connection: Connection) -> list[Any]:
    tables = ("team", "contact", "endpoint", "endpoint_secret", "subscription", "message")
    return [[tuple(row) for row in await connection.fetch(f"SELECT * FROM delivery.{table}")] for table in tables]


async def test_a_secret_is_sealed_signs_what_was_shown_and_is_replaced(office: Office, connection: Connection) -> None:
    made = await with_webhook(office)
    stored = await connection.fetch("SELECT * FROM delivery.endpoint_secret ORDER BY secret_id")
    opened = [unseal([office.key], made["endpoint_id"], row["secret_id"], row["sealed"]) for row in stored]
    assert opened[0] == made["secret"]
    assert all(made["secret"].encode() not in row["sealed"] for row in stored)
    signature = base64.b64decode(sign(opened[1], "example", 1, b"{}").removeprefix("v1a,"))
    VerifyKey(base64.b64decode(made["public_key"].removeprefix("whpk_"))).verify(b"example.1.{}", signature)
    listed = (await office.ask("GET", "/v1/webhooks")).text
    assert made["secret"] not in listed
    assert made["public_key"] not in listed

    path = f"/v1/webhooks/{made['endpoint_id']}/rotate"
    assert (await office.made(path, {}))["secret"] != made["secret"]
    ends = await connection.fetch("SELECT expires_at FROM delivery.endpoint_secret ORDER BY secret_id")
    assert [row["expires_at"] is not None for row in ends] == [True, True, False, False]
    assert abs(ends[0]["expires_at"] - datetime.now(UTC) - timedelta(days=1)) < timedelta(minutes=5)
    assert await office.refused("POST", path, {}) == (409, "already-rotated")
    third = await office.made(path, {"end_old": True})
    active = await connection.fetch(
        "SELECT secret_id, sealed FROM delivery.endpoint_secret WHERE expires_at IS NULL OR expires_at > now()"
        " ORDER BY secret_id"
    )
    assert [row["secret_id"] for row in active] == [5, 6]
    assert unseal([office.key], made["endpoint_id"], 5, active[0]["sealed"]) == third["secret"]

    # Without the key of the delivery process.
    await connection.execute("DELETE FROM delivery.sealing_key")
    answer = await office.ask("POST", "/v1/webhooks", WEBHOOK | {"url": URL + "/second"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert await connection.fetchval("SELECT count(*) FROM delivery.endpoint") == 1


async def test_what_exists_already_and_what_is_too_much_is_refused_with_what_to_end(
    settings: Settings, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "CHANGES_BURST", 12)
    monkeypatch.setattr(requests, "CHANGES_PER_S", 0.001)
    async with open_office(settings, connection) as office:
        made = await with_webhook(office)
        await office.made("/v1/subscriptions", EMAIL)
        await office.made("/v1/subscriptions", EMAIL | {"services": ["SVC-1"]})
        for path, body in (("/v1/teams", TEAM), ("/v1/webhooks", WEBHOOK), ("/v1/subscriptions", EMAIL)):
            assert await office.refused("POST", path, body) == (409, "already-exists"), path
        assert [len(table) for table in await rows(connection)] == [1, 2, 1, 2, 2, 0]

        test = f"/v1/webhooks/{made['endpoint_id']}/test"
        await office.made(test, None)
        for module, name in (
            (teams, "TEAMS_MAX"),
            (endpoints, "ENDPOINTS_MAX"),
            (subscriptions, "SUBSCRIPTIONS_MAX"),
            (endpoints, "WAITING_EXAMPLES_MAX"),
        ):
            monkeypatch.setattr(module, name, 1)
        one_more: list[tuple[str, object]] = [
            ("/v1/teams", TEAM | {"team": "second"}),
            ("/v1/webhooks", WEBHOOK | {"url": URL + "/second"}),
            ("/v1/subscriptions", EMAIL | {"channels": ["tv"]}),
            (test, None),
        ]
        for path, content in one_more:
            assert await office.refused("POST", path, content) == (409, "limit-reached"), path

        answer = await office.ask("POST", "/v1/subscriptions", EMAIL | {"channels": ["tv"]})
        assert answer.status_code == 429, "the thirteenth change"
        assert 900 < int(answer.headers["retry-after"]) <= 1_000
        assert (await office.ask("GET", "/v1/subscriptions")).status_code == 200
        await office.made("/v1/teams", TEAM, agency="labour")


async def test_a_faulty_body_is_refused_with_every_fault_in_the_language_that_was_asked_for(office: Office) -> None:
    faulty = {"team": "Press", "name": {"ar": "م"}, "contacts": ["nobody"], "owner": "x"}
    english, arabic = [
        (await office.ask("POST", "/v1/teams", faulty, accept_language=language)).json() for language in ("en", "ar")
    ]
    pointers = ["/team", "/name/en", "/contacts/0", "/owner"]
    assert [row["pointer"] for row in english["errors"]] == pointers
    assert [row["pointer"] for row in arabic["errors"]] == pointers
    assert english["type"] == arabic["type"] == "http://gateway/problems/invalid-body"
    assert all(a["detail"] != b["detail"] for a, b in zip(english["errors"], arabic["errors"], strict=True))
    for path, body, pointer in (
        ("webhooks", WEBHOOK | {"url": "https://169.254.169.254/latest/meta-data"}, "/url"),
        ("subscriptions", EMAIL | {"rules": ["service-lunched"]}, "/rules/0"),
        ("subscriptions", EMAIL | {"from_index": 1}, "/from_index"),
        ("webhooks/ep_aaaaaaaaaaaaaaaa/redeliver", {}, ""),
    ):
        answer = await office.ask("POST", f"/v1/{path}", body)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    client, token = office.window.client, office.window.tokens["agency", "health"]
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    for content, more, status in (
        (b"{", {}, 400),
        (b'{"team": "\\ud800"}', {}, 400),
        (b"[" * 60_000, {}, 400),
        (b'{"team": "' + b"x" * 70_000 + b'"}', {}, 413),
        (b"{}", {"content-type": "text/plain"}, 415),
        (b"", {}, 400),
    ):
        answer = await client.post("/v1/teams", content=content, headers={**headers, **more})
        assert answer.status_code == status, content[:20]
        assert answer.headers["content-type"] == "application/problem+json"


async def test_a_closed_team_gets_nothing_and_changes_are_in_the_trail(office: Office, connection: Connection) -> None:
    await office.ask("POST", "/v1/subscriptions", EMAIL)  # refused: there is no team
    made = await with_webhook(office)
    webhook = f"/v1/webhooks/{made['endpoint_id']}"
    await office.ask("PUT", "/v1/teams/press/contacts", {"contacts": TEAM["contacts"]})
    ended = await office.made("/v1/subscriptions", EMAIL)
    await office.made(f"{webhook}/rotate", {"end_old": True})
    await office.made(f"{webhook}/test", None)
    await office.ask("DELETE", f"/v1/subscriptions/{ended['subscription_id']}")
    await office.made("/v1/subscriptions", {"team": "press", "route": "webhook"})
    await new_address(connection, office.window.settings, "health", "press")
    assert (await office.ask("DELETE", "/v1/teams/press")).status_code == 204

    assert await connection.fetchval("SELECT count(*) FROM delivery.contact") == 0
    assert await connection.fetchval("SELECT count(*) FROM delivery.subscription WHERE ended_at IS NULL") == 0
    assert await connection.fetchval("SELECT disabled_reason FROM delivery.endpoint") == "by-team"
    assert await connection.fetchval("SELECT revoked_at IS NOT NULL FROM delivery.calendar_feed")
    asked: list[tuple[str, str, object]] = [
        ("GET", "/v1/teams/press/contacts", None),
        ("PUT", "/v1/teams/press/contacts", {"contacts": TEAM["contacts"]}),
        ("POST", "/v1/webhooks", WEBHOOK),
        ("POST", "/v1/subscriptions", EMAIL),
        ("DELETE", "/v1/teams/press", None),
        ("POST", f"{webhook}/enable", None),
    ]
    for method, path, content in asked:
        assert (await office.ask(method, path, content)).status_code == 404, (method, path)
    test = await office.ask("POST", f"{webhook}/test")
    assert (test.status_code, test.json()["type"].rpartition("/")[2]) == (409, "not-allowed-now")
    trail = await connection.fetch("SELECT operator, command FROM platform.trail ORDER BY row_id")
    ours = [row["command"] for row in trail if row["operator"] == "agency/health"]
    assert ours == [
        "teams add health/press",
        f"webhooks add health/press {made['endpoint_id']}",
        "teams contacts health/press (2)",
        "subscriptions add health/press email",
        f"webhooks rotate health/press {made['endpoint_id']} --end-old",
        f"webhooks test health/press {made['endpoint_id']}",
        f"subscriptions end health/press {ended['subscription_id']}",
        "subscriptions add health/press webhook",
        "teams close health/press",
    ], "what was refused is not there"
    assert "@" not in "".join(ours)
    assert "://" not in "".join(ours)
    again = await office.made("/v1/teams", TEAM | {"contacts": ["new@health.gov.example"]})
    assert (again["closed_at"], again["contacts"], again["subscriptions"]) == (None, 1, 0)


async def test_an_agency_reads_the_attempts_has_messages_sent_again_and_enables_what_was_disabled(
    office: Office, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = (await with_webhook(office))["endpoint_id"]
    path = f"/v1/webhooks/{endpoint}"
    await add_messages(connection, endpoint, ("delivered", "failed", "waiting"))
    found = (await office.ask("GET", f"{path}/attempts?limit=2")).json()
    assert [(row["event_id"], row["status"], row["answer"], row["latency_ms"], row["state"]) for row in found] == [
        ("i2", 503, "down", 17, "waiting"),
        ("i1", 503, "down", 17, "failed"),
    ]
    wanted = {"message_id": found[1]["message_id"]}
    (row,) = (await office.ask("GET", f"{path}/attempts?message={wanted['message_id']}")).json()
    assert row == found[1]

    with monkeypatch.context() as limited:
        limited.setattr(endpoints, "REDELIVERED_MAX", 1)
        assert await office.refused("POST", f"{path}/redeliver", {"since": "2026-11-01T08:00:00Z"}) == (
            409,
            "limit-reached",
        )
    assert await connection.fetchval("SELECT count(*) FROM delivery.message WHERE replay") == 0
    assert len((await office.made(f"{path}/redeliver", wanted))["messages"]) == 1
    span = {"since": "2026-11-01T11:00:00+03:00", "until": "2026-11-01T11:00:00Z"}
    assert len((await office.made(f"{path}/redeliver", span))["messages"]) == 1, "i1 and i2 wait already"
    assert await office.refused("POST", f"{path}/redeliver", span) == (409, "nothing-to-redeliver")
    trail = await connection.fetchval("SELECT command FROM platform.trail ORDER BY at DESC LIMIT 1")
    assert trail.startswith("webhooks redeliver health/press ep_")
    await office.ask("POST", f"{path}/disable")
    assert await office.refused("POST", f"{path}/redeliver", span) == (409, "disabled")

    await office.made("/v1/webhooks", WEBHOOK | {"url": URL + "/second"})
    for reason in ("gone", "failing", "by-team"):
        await connection.execute(
            "UPDATE delivery.endpoint SET disabled_at = now(), failing_since = now(), disabled_reason = $2"
            " WHERE endpoint_id = $1",
            *(endpoint, reason),
        )
        with monkeypatch.context() as limited:
            limited.setattr(endpoints, "ENDPOINTS_MAX", 1)
            assert await office.refused("POST", f"{path}/enable") == (409, "limit-reached")
        for _ in range(2):
            assert (await office.ask("POST", f"{path}/enable")).status_code == 204
        enabled = await connection.fetchrow("SELECT * FROM delivery.endpoint WHERE endpoint_id = $1", endpoint)
        assert enabled is not None
        state = enabled["disabled_at"], enabled["disabled_reason"], enabled["failing_since"]
        assert state == (None, None, None), reason


async def test_an_agency_subscribes_and_past_campaigns_are_replayed(settings: Settings, connection: Connection) -> None:
    settings = for_hooks(settings)
    await live_launches(connection, 2)
    for code, role in AGENCIES:
        await connection.execute(REGISTER, code, role)
    async with receiver() as hook, delivering(settings), read_window(settings, connection) as window:
        await until(connection, "SELECT count(*) FROM delivery.sealing_key", 1)
        office = Office(window, opening_keys(settings, datetime.now(UTC))[0])
        await office.made("/v1/teams", TEAM)
        made = await office.made("/v1/webhooks", {"team": "press", "url": hook.url()})
        sent = await office.made(f"/v1/webhooks/{made['endpoint_id']}/test", None)
        await hook.until(1)
        await until(connection, "SELECT count(*) FROM delivery.position WHERE part = 'router'", 1)
        asked = {"team": "press", "route": "webhook", "from_index": 0, "services": ["S1"]}
        assert (await office.made("/v1/subscriptions", asked))["backfill"]["from"] == 0
        await until(connection, "SELECT backfill_next = backfill_to FROM delivery.subscription", True)
        await until(connection, WAITING, 0)
    example, replay = hook.got
    assert (example.headers["yesser-example"], replay.headers["yesser-replay"]) == ("true", "true")
    assert Webhook(made["secret"]).verify(example.body, example.headers)["id"] == sent["event_id"]
    event = Webhook(made["secret"]).verify(replay.body, replay.headers)
    assert (event["type"], event["data"]["service_id"]) == ("sa.gov.yesser.campaign.triggered.v1", "S1")


OWNERS_ALONE = """DO $$ DECLARE name text; BEGIN
FOR name IN SELECT attname FROM pg_attribute
    WHERE attrelid = 'revenue.contract'::regclass AND attnotnull AND attnum > 0 AND attname <> 'partnership_id' LOOP
    EXECUTE format('ALTER TABLE revenue.contract ALTER %I DROP NOT NULL', name);
END LOOP; END $$"""
"""Contracts of which only the owner is known."""


async def test_an_expectation_is_of_what_the_agency_itself_can_send(office: Office, connection: Connection) -> None:
    await connection.execute(OWNERS_ALONE)
    await connection.execute(
        "INSERT INTO revenue.contract (partnership_id, owner) VALUES ('P-1', 'health'), ('P-2', 'labour')"
    )
    collected = {"type": "revenue.collected", "by_day": 5}
    for wrong, pointer in (
        ({"type": "revenue.colected"}, "/type"),
        ({"type": "plan.adopted"}, "/type"),
        ({"subject": "service/P-1"}, "/subject"),
        ({"subject": "partnership/P-2"}, "/subject"),
        ({"by_day": 31}, "/by_day"),
        ({"every_days": 7}, ""),
        ({"by_day": None}, ""),
    ):
        answer = await office.ask("POST", "/v1/expectations", collected | wrong)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer), wrong
    made = await office.made("/v1/expectations", collected | {"subject": "partnership/P-1"})
    assert await office.refused("POST", "/v1/expectations", collected | {"subject": "partnership/P-1"}) == (
        409,
        "already-exists",
    )
    await office.made("/v1/expectations", collected | {"subject": "partnership/of-later"})
    path = f"/v1/expectations/{made['expectation_id']}"
    assert (await office.ask("DELETE", path, agency="labour")).status_code == 404
    assert (await office.ask("GET", "/v1/expectations", agency="labour")).json() == []


async def test_notices_take_no_filter_of_campaigns(office: Office) -> None:
    await office.made("/v1/teams", TEAM)
    notices = EMAIL | {"types": ["notice.halt"]}
    assert (await office.refused("POST", "/v1/subscriptions", notices | {"channels": ["tv"]}))[0] == 422
    assert (await office.refused("POST", "/v1/subscriptions", notices | {"from_index": 0}))[0] == 422
    await office.made("/v1/subscriptions", notices)
