"""The commands of teams on a real database, and from which entry on a subscription gets what."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from nacl.public import PrivateKey

from consumers.delivery.secrets import unseal
from consumers.delivery.teams.changes import Desk, NotAllowedNow, NotFound
from consumers.delivery.teams.inputs import NewSubscription
from consumers.delivery.teams.subscriptions import add_subscription
from consumers.replay.as_of.point_in_time import RIYADH
from infra.data_dir import DataDir
from infra.postgres.connection import Connection, connected
from infra.settings import Settings
from infra.tls.authority import authority
from tests.integration.consumers.api.read_api import REGISTER
from tests.integration.consumers.api.read_story import story
from tests.integration.consumers.delivery.teams.desk import TEAM, URL, register
from tests.world.commands import Yesser
from tests.world.logs import raw_entries, write_log
from tests.world.teams import add_endpoint, add_messages, for_hooks, until

FIRST, SECOND = TEAM["contacts"]
ADD_TEAM = ("teams", "add", "health", "press", "--name-ar", TEAM["name"]["ar"], "--name-en", TEAM["name"]["en"])
EP_1, EP_2 = (f"ep_aaaaaaaaaaaaaaa{number}" for number in (2, 3))
MINISTRY = {"ar": "وزارة الصحة", "en": "Ministry of Health"}
SINCE = "2026-11-01T08:00Z"
BY_EMAIL = ("subscriptions", "add", "health", "press", "--route", "email")
ROUTING_LOCK = "SELECT pg_advisory_xact_lock_shared(7370019)"
BLOCKED = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 7370019 AND NOT granted"
POSITION = (
    "INSERT INTO delivery.position (part, next_index) VALUES ('router', $1)"
    " ON CONFLICT (part) DO UPDATE SET next_index = $1"
)


@pytest.fixture
async def key(connection: Connection) -> PrivateKey:
    return await register(connection)


async def test_a_team_its_webhook_and_subscriptions(key: PrivateKey, connection: Connection, yesser: Yesser) -> None:
    added = await yesser.run(*ADD_TEAM, "--contact", FIRST, "--contact", SECOND)
    assert (added.exit_code, "@" in added.output) == (0, False)
    (row,) = await yesser.document("teams", "list", "health")
    assert (row["team"], row["contacts"], row["closed_at"]) == ("press", 2, None)

    endpoint, secret, public = (await yesser.run("webhooks", "add", "health", "press", URL)).stdout.splitlines()
    assert public.startswith("whpk_")
    sealed = await connection.fetchval("SELECT sealed FROM delivery.endpoint_secret WHERE secret_id = 1")
    assert unseal([key], endpoint, 1, sealed) == secret
    assert (await yesser.document("webhooks", "rotate", endpoint))["secret"] != secret

    by_webhook = await yesser.document("subscriptions", "add", "health", "press", "--route", "webhook")
    assert by_webhook["endpoint_id"] == endpoint, "the team has no other"
    narrow = ("--rule", "quota-met", "--channel", "tv", "--type", "campaign.triggered", "--service", "SVC-1")
    await yesser.document(*BY_EMAIL, *narrow)
    rows = await yesser.document("subscriptions", "list", "health", "press")
    assert [(row["route"], row["rules"], row["types"]) for row in rows] == [
        ("webhook", None, None),
        ("email", ["quota-met"], ["campaign.triggered"]),
    ]
    everything = await yesser.run("teams", "show", "health", "press")
    for text in (endpoint, URL, "m…@health.gov.example", "quota-met", "SVC-1"):
        assert text in everything.output
    assert FIRST not in everything.output

    await yesser.document("expectations", "add", "health", "service.launched", "--every-days", "30")
    await connection.execute("INSERT INTO campaigns.agency_name VALUES ('health', $1, 2)", MINISTRY)
    for words in (("teams", "list"), ("webhooks", "list"), ("subscriptions", "list"), ("expectations", "list")):
        shown = await yesser.output(*words)
        assert all(text in shown for text in ("وزارة الصحة", "Ministry of Health", "health")), words
        assert "Ministry" not in (await yesser.run(*words, "--json")).stdout, words

    sent = await yesser.document("webhooks", "test", endpoint)
    (message,) = await connection.fetch("SELECT message_id, event_id, kind, endpoint_id FROM delivery.message")
    assert tuple(message) == (sent["message_id"], sent["event_id"], "example", endpoint)

    await yesser.document("subscriptions", "end", str(by_webhook["subscription_id"]))
    assert [row["route"] for row in await yesser.document("subscriptions", "list")] == ["email"]
    swapped = await yesser.document("teams", "contacts", "health", "press", "--contact", SECOND)
    assert swapped == await yesser.document("teams", "contacts", "health", "press")
    assert swapped["contacts"] == [SECOND] == [row["address"] for row in swapped["addresses"]]
    assert [(row["state"], row["used_until"]) for row in swapped["addresses"]] == [("waiting", None)]
    said = await yesser.run("teams", "contacts", "health", "press")
    assert "Waits for confirmation" in said.output
    await yesser.document("teams", "domains", "health", "--domain", "other.example", "--domain", "Health.Gov.Example")
    registered = await yesser.document("teams", "domains", "health")
    assert registered == {"domains": ["health.gov.example", "other.example"]}
    (row,) = (await yesser.document("teams", "contacts", "health", "press"))["addresses"]
    assert row["state"] == "registered-domain"
    assert await yesser.document("teams", "domains", "health", "--none") == {"domains": []}
    await yesser.document("teams", "close", "health", "press")
    assert await yesser.document("teams", "list") == []
    trail = await connection.fetch("SELECT operator, command FROM platform.trail ORDER BY row_id")
    assert {row["operator"] for row in trail} == {"desk"}
    assert not any("@" in row["command"] or "://" in row["command"] for row in trail)


async def test_what_stands_in_the_way_is_said_and_a_subscription_misses_no_entry(
    key: PrivateKey, settings: Settings, connection: Connection, yesser: Yesser
) -> None:
    told = story()
    await write_log(connection, raw_entries(told))
    await yesser.run(*ADD_TEAM, "--contact", FIRST)
    for command, kind, words in (
        ((*ADD_TEAM, "--contact", FIRST), NotAllowedNow, "yesser teams contacts"),
        (("teams", "add", "none", *ADD_TEAM[3:], "--contact", FIRST), NotFound, "yesser agencies list"),
        (("teams", "close", "health", "other"), NotFound, "yesser teams list health"),
        (("webhooks", "rotate", "ep_aaaaaaaaaaaaaaaa"), NotFound, "yesser webhooks list"),
        (("subscriptions", "end", "7"), NotFound, "yesser subscriptions list"),
        (("subscriptions", "add", "health", "press", "--route", "webhook"), NotFound, "there is none"),
    ):
        result = await yesser.run(*command)
        assert isinstance(result.exception, kind), (command, result.output)
        assert words in str(result.exception)
    wrong: list[tuple[tuple[str, ...], str]] = [
        ((*ADD_TEAM, "--contact", "nobody"), "contacts/0: This is not an e-mail address"),
        (("webhooks", "add", "health", "press", "http://a.example/"), "url: Write a URL that begins with https"),
        (("webhooks", "add", "health", "press", "https://10.0.0.1/"), "url: This host is inside the network"),
        (("webhooks", "rotate", "42"), "is not a webhook's id"),
        ((*BY_EMAIL, "--rule", "x"), "rules/0: There is no such"),
        ((*BY_EMAIL, "--from", "soon"), "neither an index nor"),
        ((*BY_EMAIL, "--from", "9999"), f"The log has {len(told)} entries"),
    ]
    for wrong_command, words in wrong:
        result = await yesser.run(*wrong_command)
        assert (result.exit_code, words in result.output) == (2, True), (wrong_command, result.output)

    # A backfill begins at an index or at midnight in Riyadh, and ends where live entries begin.
    size = len(told)
    days = [datetime.fromisoformat(entry["recordedtime"]).astimezone(RIYADH).date() for entry in told]
    last = days[-1]
    first_of_last = days.index(last)
    for number, (beginning, start) in enumerate(
        (("3", 3), (last.isoformat(), first_of_last), ("1990-01-01", 0), (str(last + timedelta(days=1)), None))
    ):
        only = ("--service", f"SVC-{number}")
        made = await yesser.document(*BY_EMAIL, "--from", beginning, *only)
        assert made["from_index"] == size
        assert made["backfill"] == (None if start is None else {"from": start, "to": size}), beginning
    rows = await connection.fetch("SELECT backfill_next, backfill_to FROM delivery.subscription ORDER BY 1 NULLS LAST")
    assert [tuple(row) for row in rows][-1] == (None, None)

    # The router is behind: what it has not read yet is sent live, and not as a replay.
    await connection.execute(POSITION, size - 2)
    made = await yesser.document(*BY_EMAIL, "--from", "0")
    assert (made["from_index"], made["backfill"]) == (size - 2, {"from": 0, "to": size - 2})
    made = await yesser.document(*BY_EMAIL, "--service", "SVC-now")
    assert (made["from_index"], made["backfill"]) == (size, None), "from now on is not from where the router is"

    # A round reads the subscriptions, then moves the position: a subscription of that moment begins after it.
    async with connected(settings.acting_as("administrator"), "test") as other:
        async with connection.transaction():
            await connection.execute(ROUTING_LOCK)
            new = NewSubscription(team="press", route="email", channels=["tv"])
            adding = asyncio.create_task(add_subscription(Desk(other, settings), "health", new, None))
            await until(connection, BLOCKED, 1)
            assert not adding.done()
            await connection.execute(POSITION, size)
        assert (await adding).from_index == size


async def test_an_operator_looks_after_a_webhook(yesser: Yesser, settings: Settings, connection: Connection) -> None:
    """There are two; the first has two messages that failed and one that waits."""
    for agency in ("health", "labour"):
        await connection.execute(REGISTER, agency, "agency")
    for endpoint_id in (EP_1, EP_2):
        await add_endpoint(connection, for_hooks(settings), endpoint_id, f"https://hooks.example/{endpoint_id}")
    await add_messages(connection, EP_1, ("failed", "failed", "waiting"))
    first, second = await yesser.document("webhooks", "list", "--agency", "health")
    assert (first["endpoint_id"], first["waiting"], first["undelivered"], first["last_status"]) == (EP_1, 1, 2, 503)
    assert (second["waiting"], second["last_status"]) == (0, None)
    assert await yesser.document("webhooks", "list", "--agency", "labour") == []
    rows = await yesser.document("webhooks", "attempts", EP_1, "--limit", "2")
    assert [(row["event_id"], row["answer"]) for row in rows] == [("i2", "down"), ("i1", "down")]
    assert EP_1 in await yesser.output("webhooks", "list")
    assert "503" in await yesser.output("webhooks", "attempts", EP_1)

    for arguments in (
        ("redeliver", EP_1),
        ("redeliver", EP_1, "--message", "1", "--since", SINCE),
        ("redeliver", EP_1, "--message", "1", "--until", SINCE),
        ("redeliver", EP_1, "--since", "yesterday"),
        ("attempts", EP_1, "--limit", "0"),
    ):
        assert (await yesser.run("webhooks", *arguments)).exit_code == 2, arguments
    for command, *more in (("attempts",), ("disable",), ("enable",), ("redeliver", "--message", "1")):
        result = await yesser.run("webhooks", command, "ep_aaaaaaaaaaaaaaa7", *more)
        assert "yesser webhooks list" in str(result.exception), command
    assert await connection.fetchval("SELECT count(*) FROM platform.trail") == 0

    message = str(await connection.fetchval("SELECT min(message_id) FROM delivery.message"))
    assert len((await yesser.document("webhooks", "redeliver", EP_1, "--message", message))["messages"]) == 1
    again = ("webhooks", "redeliver", EP_1, "--since", SINCE, "--until", "2026-11-01T10:00Z")
    assert len((await yesser.document(*again))["messages"]) == 1, "the first waits already, and the third always did"
    rows = await connection.fetch(
        "SELECT event_id, lane, replay, state FROM delivery.message WHERE replay ORDER BY message_id"
    )
    assert [tuple(row) for row in rows] == [(f"i{n}", "service/S/replay", True, "waiting") for n in (0, 1)]
    trail = await connection.fetchval("SELECT command FROM platform.trail ORDER BY at LIMIT 1")
    assert trail == f"webhooks redeliver health/press {EP_1} --message {message}"
    assert "No message fits" in str((await yesser.run(*again)).exception)
    for command, reason in (("disable", "by-team"), ("enable", None)):
        await yesser.document("webhooks", command, EP_1)
        assert (await yesser.document("webhooks", "list"))[0]["disabled_reason"] == reason


async def test_what_an_agency_expects_and_which_certificates_it_has_is_declared_by_commands(
    settings: Settings, key: PrivateKey, connection: Connection, yesser: Yesser
) -> None:
    each_month = ("expectations", "add", "health", "revenue.collected", "--by-day", "5")
    made = await yesser.document(*each_month)
    (row,) = await yesser.document("expectations", "list", "health")
    assert (row["expectation_id"], row["by_day"], row["state"]) == (made["expectation_id"], 5, "kept")
    assert (await yesser.run(*each_month)).exit_code == 1
    both = await yesser.run(*each_month, "--every-days", "7")
    assert (both.exit_code, "Write --by-day" in both.stderr, "by_day" in both.stderr) == (2, True, False)
    await yesser.document("expectations", "end", str(made["expectation_id"]))
    assert await yesser.document("expectations", "list", "health") == []

    folder = DataDir.at(settings.home).tls
    folder.mkdir(parents=True, exist_ok=True)
    authority(folder, datetime.now(UTC))
    await yesser.output("agencies", "certificate", "health", "--output", str(settings.home / "health.pem"))
    left = await connection.fetchval(
        "SELECT expires_at - now() FROM platform.client_certificate WHERE agency = 'health'"
    )
    assert timedelta(days=364) < left < timedelta(days=366)
