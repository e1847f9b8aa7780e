"""An agency manages its teams over HTTP: its own only, within limits, each change in the trail, without addresses."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import jsonschema_rs
import pytest
from nacl.signing import VerifyKey

from consumers.delivery.calendar.addresses import new_address
from consumers.delivery.secrets import sign, unseal
from consumers.delivery.teams import endpoints, requests, subscriptions, teams
from infra.http.callers import Kind
from infra.postgres.connection import Connection
from infra.settings import Settings
from producers.agencies.tokens import TokenRequest, create_token, hash_key
from tests.every import every
from tests.integration.consumers.delivery.teams.desk import TEAM, URL, Office, open_office
from tests.integration.consumers.read_api.read_api import closed
from tests.world.teams import add_messages

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
    contacts = await check("GET", "/v1/teams/{team}/contacts", team="press")
    assert contacts["contacts"] == TEAM["contacts"]
    swapped = {"contacts": TEAM["contacts"][::-1]}
    await check("PUT", "/v1/teams/{team}/contacts", swapped, team="press")
    assert (await check("GET", "/v1/teams/{team}/contacts", team="press"))["contacts"] == swapped["contacts"]
    address = (await check("POST", "/v1/teams/{team}/calendar-address", team="press"))["address"]
    assert "/calendars/due.ics?feed=" in address
    await check("DELETE", "/v1/teams/{team}/calendar-address", team="press")
    made = await check("POST", "/v1/webhooks", WEBHOOK)
    await check("POST", "/v1/webhooks/{endpoint_id}/rotate", {}, endpoint_id=made["endpoint_id"])
    (webhook,) = await check("GET", "/v1/webhooks")
    assert [secret["kind"] for secret in webhook["secrets"]] == ["v1", "v1a", "v1", "v1a"]
    await check("POST", "/v1/webhooks/{endpoint_id}/test", endpoint_id=made["endpoint_id"])
    assert await check("GET", "/v1/webhooks/{endpoint_id}/attempts", endpoint_id=made["endpoint_id"]) == []
    await add_messages(connection, made["endpoint_id"], ["failed"])
    (attempt,) = await check("GET", "/v1/webhooks/{endpoint_id}/attempts", endpoint_id=made["endpoint_id"])
    wanted = {"message_id": attempt["message_id"]}
    await check("POST", "/v1/webhooks/{endpoint_id}/redeliver", wanted, endpoint_id=made["endpoint_id"])
    await check("POST", "/v1/webhooks/{endpoint_id}/disable", endpoint_id=made["endpoint_id"])
    assert await check("GET", "/v1/webhooks") == []
    await check("POST", "/v1/webhooks/{endpoint_id}/enable", endpoint_id=made["endpoint_id"])
    (webhook,) = await check("GET", "/v1/webhooks")
    assert webhook["disabled_reason"] is None
    made = await check("POST", "/v1/subscriptions", EMAIL | {"rules": ["service-launched"], "channels": ["tv"]})
    assert (made["from_index"], made["backfill"]) == (0, None)
    (row,) = await check("GET", "/v1/subscriptions")
    assert (row["rules"], row["channels"], row["types"]) == (["service-launched"], ["tv"], None)
    await check("DELETE", "/v1/subscriptions/{subscription_id}", subscription_id=row["subscription_id"])
    assert await check("GET", "/v1/subscriptions") == []
    await check("DELETE", "/v1/teams/{team}", team="press")
    assert await check("GET", "/v1/teams") == []
    documented = {
        (method.upper(), path)
        for path, operations in paths.items()
        for method, operation in operations.items()
        if "teams" in operation["tags"] and not path.endswith(".ics")
    }
    assert asked == documented


async def test_what_is_another_agencys_is_not_found_and_is_not_changed(office: Office, connection: Connection) -> None:
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
            assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found"), (method, path)
    for path in ("/v1/teams", "/v1/webhooks", "/v1/subscriptions"):
        assert (await office.ask("GET", f"{path}?ended=true", agency="labour")).json() == []
    assert await rows(connection) == before

    await office.made("/v1/teams", TEAM, agency="labour")
    body = EMAIL | {"route": "webhook", "endpoint_id": endpoint}
    answer = await office.ask("POST", "/v1/subscriptions", body, agency="labour")
    assert answer.status_code == 404, "another agency's webhook, for a team of its own"


async def rows(connection: Connection) -> list[Any]:
    tables = ("team", "contact", "endpoint", "endpoint_secret", "subscription", "message")
    return [[tuple(row) for row in await connection.fetch(f"SELECT * FROM delivery.{table}")] for table in tables]


@every("kind, holder", [("auditor", "court-of-audit"), ("partner", "ACME"), ("treasury", "treasury")])
async def test_only_agencies_have_teams(office: Office, kind: Kind, holder: str) -> None:
    for method, path in (("GET", "/v1/teams"), ("POST", "/v1/teams")):
        assert (await office.ask(method, path, TEAM, agency=holder, kind=kind)).status_code == 403


async def test_a_token_without_the_scope_and_a_suspended_agency_may_do_nothing(
    office: Office, connection: Connection
) -> None:
    asked = TokenRequest("agency", "labour", 1, scopes=("events:write", "events:read"))
    made = await create_token(connection, hash_key(office.window.settings), asked)
    office.window.tokens["agency", "labour"] = made.token
    answer = await office.ask("POST", "/v1/teams", TEAM, agency="labour")
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/forbidden")
    await connection.execute("INSERT INTO platform.suspension (agency, reason) VALUES ('health', '{}')")
    answer = await office.ask("GET", "/v1/teams")
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/suspended")


async def test_a_secret_is_sealed_and_signs_what_was_shown(office: Office, connection: Connection) -> None:
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


async def test_after_a_rotation_both_secrets_sign_for_a_day_and_a_second_one_waits_or_ends_the_old(
    office: Office, connection: Connection
) -> None:
    made = await with_webhook(office)
    path = f"/v1/webhooks/{made['endpoint_id']}/rotate"
    second = await office.made(path, {})
    assert second["secret"] != made["secret"]
    ends = await connection.fetch("SELECT expires_at FROM delivery.endpoint_secret ORDER BY secret_id")
    in_a_day = datetime.now(UTC) + timedelta(days=1)
    assert [row["expires_at"] is not None for row in ends] == [True, True, False, False]
    assert abs(ends[0]["expires_at"] - in_a_day) < timedelta(minutes=5)

    answer = await office.ask("POST", path, {})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "already-rotated")
    third = await office.made(path, {"end_old": True})
    active = await connection.fetch(
        "SELECT secret_id, sealed FROM delivery.endpoint_secret WHERE expires_at IS NULL OR expires_at > now()"
        " ORDER BY secret_id"
    )
    assert [row["secret_id"] for row in active] == [5, 6]
    assert unseal([office.key], made["endpoint_id"], 5, active[0]["sealed"]) == third["secret"]


async def test_without_the_key_of_the_delivery_process_a_webhook_is_asked_for_again_later(
    office: Office, connection: Connection
) -> None:
    await office.made("/v1/teams", TEAM)
    await connection.execute("DELETE FROM delivery.sealing_key")
    answer = await office.ask("POST", "/v1/webhooks", WEBHOOK)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert await connection.fetchval("SELECT count(*) FROM delivery.endpoint") == 0


async def test_what_exists_already_is_not_made_twice(office: Office, connection: Connection) -> None:
    await with_webhook(office)
    await office.made("/v1/subscriptions", EMAIL)
    await office.made("/v1/subscriptions", EMAIL | {"services": ["SVC-1"]})
    for path, body in (("/v1/teams", TEAM), ("/v1/webhooks", WEBHOOK), ("/v1/subscriptions", EMAIL)):
        answer = await office.ask("POST", path, body, accept_language="ar")
        problem = answer.json()
        assert (answer.status_code, problem["type"]) == (409, "/problems/not-allowed-now")
        assert problem["errors"][0]["code"] == "already-exists"
    counts = [len(table) for table in await rows(connection)]
    assert counts == [1, 2, 1, 2, 2, 0]


async def test_each_limit_is_a_refusal_that_says_what_to_end(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    made = await with_webhook(office)
    await office.made("/v1/subscriptions", EMAIL)
    for module, name in (
        (teams, "TEAMS_MAX"),
        (endpoints, "ENDPOINTS_MAX"),
        (subscriptions, "SUBSCRIPTIONS_MAX"),
        (endpoints, "WAITING_EXAMPLES_MAX"),
    ):
        monkeypatch.setattr(module, name, 1)
    await office.made(f"/v1/webhooks/{made['endpoint_id']}/test", None)
    for path, body in (
        ("/v1/teams", TEAM | {"team": "second"}),
        ("/v1/webhooks", WEBHOOK | {"url": URL + "/second"}),
        ("/v1/subscriptions", EMAIL | {"channels": ["tv"]}),
        (f"/v1/webhooks/{made['endpoint_id']}/test", None),
    ):
        answer = await office.ask("POST", path, body)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "limit-reached"), path
    await office.made("/v1/teams", TEAM, agency="labour")


async def test_an_agency_that_makes_too_many_changes_waits_and_another_does_not(
    settings: Settings, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "CHANGES_BURST", 2)
    async with open_office(settings, connection) as office:
        await office.made("/v1/teams", TEAM)
        await office.made("/v1/subscriptions", EMAIL)
        answer = await office.ask("POST", "/v1/subscriptions", EMAIL | {"channels": ["tv"]})
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "5")
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
    assert english["type"] == arabic["type"] == "/problems/invalid-body"
    assert all(a["detail"] != b["detail"] for a, b in zip(english["errors"], arabic["errors"], strict=True))
    inside = await office.ask("POST", "/v1/webhooks", WEBHOOK | {"url": "https://169.254.169.254/latest/meta-data"})
    assert (inside.status_code, inside.json()["errors"][0]["pointer"]) == (422, "/url")
    unknown = await office.ask("POST", "/v1/subscriptions", EMAIL | {"rules": ["service-lunched"]})
    assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (422, "/rules/0")
    future = await office.ask("POST", "/v1/subscriptions", EMAIL | {"from_index": 1})
    assert (future.status_code, future.json()["errors"][0]["pointer"]) == (422, "/from_index")


async def test_a_body_that_is_no_json_document_of_reasonable_size_is_refused(office: Office) -> None:
    await office.ask("GET", "/v1/teams")
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


async def test_lists_come_in_pages(office: Office) -> None:
    names = [f"team-{number}" for number in range(5)]
    for name in names:
        await office.made("/v1/teams", TEAM | {"team": name})
        await office.made("/v1/webhooks", {"team": name, "url": f"{URL}/{name}"})
        await office.made("/v1/subscriptions", {"team": name, "route": "webhook"})
    for path, column in (("/v1/teams", "team"), ("/v1/webhooks", "team"), ("/v1/subscriptions", "team")):
        found = await office.window.pages(path, 2, "agency", "health")
        assert [len(page) for page in found] == [2, 2, 1]
        assert sorted(row[column] for page in found for row in page) == names


async def test_a_closed_team_gets_nothing_more_and_can_be_opened_again(office: Office, connection: Connection) -> None:
    webhook = await with_webhook(office)
    for body in (EMAIL, {"team": "press", "route": "webhook"}):
        await office.made("/v1/subscriptions", body)
    await new_address(connection, office.window.settings, "health", "press")
    assert (await office.ask("DELETE", "/v1/teams/press")).status_code == 204
    assert await connection.fetchval("SELECT count(*) FROM delivery.contact") == 0
    assert await connection.fetchval("SELECT count(*) FROM delivery.subscription WHERE ended_at IS NULL") == 0
    assert await connection.fetchval("SELECT disabled_reason FROM delivery.endpoint") == "by-team"
    asked: list[tuple[str, str, object]] = [
        ("GET", "/v1/teams/press/contacts", None),
        ("PUT", "/v1/teams/press/contacts", {"contacts": TEAM["contacts"]}),
        ("POST", "/v1/webhooks", WEBHOOK),
        ("POST", "/v1/subscriptions", EMAIL),
        ("DELETE", "/v1/teams/press", None),
    ]
    for method, path, content in asked:
        assert (await office.ask(method, path, content)).status_code == 404, (method, path)
    assert (await office.ask("POST", f"/v1/webhooks/{webhook['endpoint_id']}/enable")).status_code == 404
    assert await connection.fetchval("SELECT revoked_at IS NOT NULL FROM delivery.calendar_feed")
    test = await office.ask("POST", f"/v1/webhooks/{webhook['endpoint_id']}/test")
    assert (test.status_code, test.json()["errors"][0]["code"]) == (409, "disabled")
    again = await office.made("/v1/teams", TEAM | {"contacts": ["new@health.gov.example"]})
    assert (again["closed_at"], again["contacts"], again["subscriptions"]) == (None, 1, 0)


async def test_each_change_is_in_the_trail_without_addresses_and_without_urls(
    office: Office, connection: Connection
) -> None:
    made = await with_webhook(office)
    await office.ask("PUT", "/v1/teams/press/contacts", {"contacts": TEAM["contacts"]})
    subscribed = await office.made("/v1/subscriptions", EMAIL)
    await office.made(f"/v1/webhooks/{made['endpoint_id']}/rotate", {"end_old": True})
    await office.made(f"/v1/webhooks/{made['endpoint_id']}/test", None)
    await office.ask("DELETE", f"/v1/subscriptions/{subscribed['subscription_id']}")
    await office.ask("DELETE", "/v1/teams/press")
    trail = await connection.fetch("SELECT operator, command FROM platform.trail ORDER BY row_id")
    ours = [row["command"] for row in trail if row["operator"] == "agency/health"]
    endpoint = made["endpoint_id"]
    assert ours == [
        "teams add health/press",
        f"webhooks add health/press {endpoint}",
        "teams contacts health/press (2)",
        "subscriptions add health/press email",
        f"webhooks rotate health/press {endpoint} --end-old",
        f"webhooks test health/press {endpoint}",
        f"subscriptions end health/press {subscribed['subscription_id']}",
        "teams close health/press",
    ]
    assert "@" not in "".join(ours)
    assert "://" not in "".join(ours)


async def test_an_agency_enables_its_webhook_again_whatever_disabled_it(
    office: Office, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await with_webhook(office)
    await office.made("/v1/webhooks", WEBHOOK | {"url": URL + "/second"})
    path = f"/v1/webhooks/{made['endpoint_id']}/enable"
    for reason in ("gone", "failing", "by-team"):
        await connection.execute(
            "UPDATE delivery.endpoint SET disabled_at = now(), failing_since = now(), disabled_reason = $2"
            " WHERE endpoint_id = $1",
            *(made["endpoint_id"], reason),
        )
        with monkeypatch.context() as limited:
            limited.setattr(endpoints, "ENDPOINTS_MAX", 1)
            assert (await office.ask("POST", path)).json()["errors"][0]["code"] == "limit-reached"
        for _ in range(2):
            assert (await office.ask("POST", path)).status_code == 204
        row = await connection.fetchrow("SELECT * FROM delivery.endpoint WHERE endpoint_id = $1", made["endpoint_id"])
        assert row is not None
        assert (row["disabled_at"], row["disabled_reason"], row["failing_since"]) == (None, None, None), reason


async def test_a_refused_change_leaves_no_row_in_the_trail(office: Office, connection: Connection) -> None:
    await office.ask("POST", "/v1/subscriptions", EMAIL)
    assert await connection.fetchval("SELECT count(*) FROM platform.trail WHERE operator LIKE 'agency/%'") == 0


async def with_messages(office: Office, connection: Connection) -> str:
    """A webhook with three messages; the last one waits."""
    endpoint: str = (await with_webhook(office))["endpoint_id"]
    await add_messages(connection, endpoint, ("delivered", "failed", "waiting"))
    return endpoint


async def test_an_agency_reads_the_attempts_and_has_messages_sent_again(office: Office, connection: Connection) -> None:
    path = f"/v1/webhooks/{await with_messages(office, connection)}"
    rows = (await office.ask("GET", f"{path}/attempts?limit=2")).json()
    assert [(row["event_id"], row["status"], row["answer"], row["latency_ms"], row["state"]) for row in rows] == [
        ("i2", 503, "down", 17, "waiting"),
        ("i1", 503, "down", 17, "failed"),
    ]
    (row,) = (await office.ask("GET", f"{path}/attempts?message={rows[1]['message_id']}")).json()
    assert row == rows[1]
    made = await office.made(f"{path}/redeliver", {"message_id": rows[1]["message_id"]})
    assert len(made["messages"]) == 1
    span = {"since": "2026-11-01T11:00:00+03:00", "until": "2026-11-01T11:00:00Z"}
    assert len((await office.made(f"{path}/redeliver", span))["messages"]) == 1, "i1 and i2 wait already"
    again = await office.ask("POST", f"{path}/redeliver", span)
    assert (again.status_code, again.json()["errors"][0]["code"]) == (409, "nothing-to-redeliver")
    trail = [row["command"] for row in await connection.fetch("SELECT command FROM platform.trail ORDER BY at")]
    assert trail[-1].startswith("webhooks redeliver health/press ep_")
    await office.ask("POST", f"{path}/disable")
    disabled = await office.ask("POST", f"{path}/redeliver", span)
    assert (disabled.status_code, disabled.json()["errors"][0]["code"]) == (409, "disabled")


async def test_no_more_is_sent_again_than_one_request_may(
    office: Office, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoints, "REDELIVERED_MAX", 1)
    path = f"/v1/webhooks/{await with_messages(office, connection)}/redeliver"
    answer = await office.ask("POST", path, {"since": "2026-11-01T08:00:00Z"})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "limit-reached")
    assert await connection.fetchval("SELECT count(*) FROM delivery.message WHERE replay") == 0


@every(
    "body",
    [
        {},
        {"message_id": 1, "since": "2026-11-01T08:00:00Z"},
        {"until": "2026-11-01T08:00:00Z"},
        {"since": "2026-11-01T08:00:00Z", "until": "2026-11-01T08:00:00Z"},
        {"since": "yesterday"},
        {"since": "2026-11-01T08:00:00"},
        {"since": "2026-02-30T08:00:00Z"},
        {"message_id": -1},
        {"message_id": "1"},
    ],
)
async def test_a_redelivery_that_names_no_span_and_no_message_is_invalid(office: Office, body: dict[str, Any]) -> None:
    answer = await office.ask("POST", "/v1/webhooks/ep_aaaaaaaaaaaaaaaa/redeliver", body)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-body"), answer.text
