"""What an earlier release had queued is sent by this one, once it is migrated (`0060_one_queue.sql`)."""

from __future__ import annotations

import pytest

from infra.postgres.connection import Connection
from infra.postgres.migrate import migrate
from infra.postgres.sql import read
from infra.settings import Settings
from tests.unit.consumers.delivery.receivers import receiver
from tests.world import mail
from tests.world.teams import add_endpoint, delivering, for_hooks, live_launches, until

MIGRATIONS = ["0060_one_queue.sql", "0061_one_queue_outside.sql"]
MESSAGE = (
    "INSERT INTO delivery.message (route, agency, team, endpoint_id, kind, event_id, log_index, campaign_id, lane,"
    " queued, attempts, next_attempt_at) VALUES ($1, 'health', 'press', $2, 'triggered', 'i' || $3::bigint, $3, $4, $4,"
    " $5, $6, clock_timestamp() + $7::float8 * interval '1 second')"
)
JOB = (
    "INSERT INTO delivery.pgqueuer (priority, status, entrypoint, payload, execute_after)"
    " VALUES (0, $1, 'webhook', $2, clock_timestamp() + $3::float8 * interval '1 second')"
)
INDEXES = (
    "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'delivery.message'::regclass AND indisvalid"
    " AND pg_get_expr(indpred, indrelid) LIKE '%waiting%'"
)


async def make_old(connection: Connection) -> None:
    """The queue's tables as the release before had them."""
    old = read("infra.migrations", "0019_delivery.sql")
    wake = old[old.index("CREATE FUNCTION delivery.wake") : old.index("-- Each attempt to deliver")]
    await connection.execute("DROP TRIGGER wake ON delivery.message; DROP FUNCTION delivery.wake")
    await connection.execute("DROP INDEX delivery.message_of_destination, delivery.message_of_lane")
    await connection.execute("DROP FUNCTION delivery.destination")
    await connection.execute("ALTER TABLE delivery.message ADD COLUMN queued boolean NOT NULL DEFAULT false")
    await connection.execute(wake)
    await connection.execute(old[old.index("CREATE TYPE delivery.pgqueuer_status") :])
    await connection.execute("DELETE FROM public.migration WHERE name = ANY ($1)", MIGRATIONS)


@pytest.fixture
async def campaigns(settings: Settings, connection: Connection) -> dict[str, int]:
    """The ids of five campaigns, with the entries of their triggers."""
    story, ids = await live_launches(connection, 5)
    triggered = [entry.index for entry in story.entries if entry.type == "campaign.triggered"]
    await make_old(connection)
    return dict(zip(ids, triggered, strict=True))


async def test_what_waited_in_the_earlier_queue_is_sent_and_what_is_due_later_still_waits(
    settings: Settings, connection: Connection, campaigns: dict[str, int]
) -> None:
    settings = for_hooks(settings)
    ids = list(campaigns)
    async with receiver() as hook, mail.mail_server() as mails:
        await mail.add_team(connection, mail.FIRST)
        await add_endpoint(connection, settings, "e1", hook.url())
        # A job waits, a job was taken by a process that was killed, none was added yet, one attempt failed.
        for campaign, queued, attempts, wait_s in (
            (ids[0], True, 0, 0.0),
            (ids[1], True, 0, 0.0),
            (ids[2], False, 0, 0.0),
            (ids[3], True, 1, 3_600.0),
        ):
            await connection.execute(MESSAGE, "webhook", "e1", campaigns[campaign], campaign, queued, attempts, wait_s)
        for status, later_s in (("queued", 0.0), ("picked", 0.0), ("queued", 3_600.0)):
            await connection.execute(JOB, status, b"e1", later_s)
        # An e-mail was claimed, and the process was killed.
        await connection.execute(MESSAGE, "email", None, campaigns[ids[4]], ids[4], False, 1, 600.0)

        assert await migrate(connection) == MIGRATIONS
        assert await migrate(connection) == []
        gone = "SELECT count(*) FROM pg_class WHERE relname LIKE 'pgqueuer%'"
        assert await connection.fetchval(gone) == 0
        assert {row[0] for row in await connection.fetch(INDEXES)} == {
            "delivery.message_of_destination",
            "delivery.message_of_lane",
            "delivery.message_waiting",
            "delivery.message_endpoint_id_replay_message_id_idx",
        }

        async with delivering(settings):
            await until(connection, "SELECT count(*) FROM delivery.message WHERE state = 'delivered'", 3)
            await until(
                connection, "SELECT count(DISTINCT event_id) FROM delivery.message WHERE route = 'email'", len(ids)
            )
        assert hook.ids() == {f"{name.replace('.', '_')}_triggered_i{campaigns[name]}" for name in ids[:3]}
        later = "SELECT next_attempt_at > now() + interval '59 minutes' FROM delivery.message WHERE event_id = $1"
        assert await connection.fetchval(later, f"i{campaigns[ids[3]]}")

        now = await connection.fetchval("SELECT clock_timestamp()")
        async with mail.desk(settings, connection, mails, now) as desk:
            await desk.send()
        repeats = [(letter["Yesser-Event"], letter["Yesser-Repeat"]) for letter in mails.messages]
        assert (f"i{campaigns[ids[4]]}", "2") in repeats
        assert [repeat for _, repeat in repeats].count(None) == len(ids) - 1
