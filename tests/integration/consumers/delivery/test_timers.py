"""The timers on the real PostgreSQL: each escalation once, from rows that contain the log, whatever the clock does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import orjson
import pytest

from consumers.delivery.delivery_lease import LEASE
from consumers.delivery.sending.messages import database_now
from consumers.delivery.timers.timers import NotCaughtUp, Timers, settling_time
from consumers.programme.campaigns.rules.in_force import release_rules
from consumers.programme.campaigns.rules.rule import RuleSet
from consumers.programme.campaigns.rules.rule_file import read_rule
from consumers.registrar.guards.clocks import ClockCheck, ClocksDiffer
from events.errors import Fenced
from infra.postgres.connection import Connection, connected
from infra.process import lease
from infra.settings import Settings
from tests.paths import ROOT
from tests.world.teams import launches, make_live, make_live_again, set_position

MIDNIGHT = datetime(2026, 11, 15, 21, tzinfo=UTC)
"""After the due date of what is launched on 2026-11-01."""
SETTLING = timedelta(seconds=330)
"""The difference of clocks that is allowed, and a statement's limit, as they are by default."""
DUE = MIDNIGHT + SETTLING


class MovedClock:
    """A clock that a test sets, of this machine and of PostgreSQL's, which is ahead by `database_ahead_s`."""

    def __init__(self, now: datetime, database_ahead_s: float = 0) -> None:
        self.now = now
        self.database_ahead_s = database_ahead_s

    def __call__(self) -> datetime:
        return self.now

    async def database(self, _: Connection) -> datetime:
        return self.now + timedelta(seconds=self.database_ahead_s)


Start = Callable[..., Awaitable[tuple[Timers, MovedClock]]]


@pytest.fixture
async def timers_at(settings: Settings) -> AsyncIterator[Start]:
    """New timers with the rights of the delivery process, at a moment and under a new epoch, as after a restart."""
    async with connected(settings.acting_as("delivery"), "test of timers") as own:
        await own.execute("SET search_path = campaigns")

        async def start(now: datetime, rules: RuleSet | None = None) -> tuple[Timers, MovedClock]:
            clock = MovedClock(now)
            epoch = await lease.claim(own, LEASE, "test", settings)
            assert epoch is not None
            clocks = ClockCheck(clock, lambda: 0.0, settings.clock_difference_max_s)
            rules = rules or release_rules()
            return Timers(own, epoch, clocks, rules, settling_time(settings), clock.database), clock

        yield start


async def waiting(connection: Connection) -> list[str]:
    """The ids in the outbox, in row order."""
    return [row["event_id"] for row in await connection.fetch("SELECT event_id FROM platform.outbox ORDER BY row_id")]


async def test_a_campaign_is_escalated_once_at_midnight_also_after_a_restart(
    connection: Connection, timers_at: Start
) -> None:
    story, (first, second, third, known) = launches(4)
    story.tell("platform", "campaign.escalated", **story.entries[-1].data)
    await make_live(connection, story)
    assert story.campaign(known).escalated
    timers, clock = await timers_at(DUE - timedelta(microseconds=1))
    assert await timers.look() == 0

    clock.now = DUE
    assert await timers.look() == 3
    assert await timers.look() == 0
    assert await waiting(connection) == [f"escalated.{campaign}" for campaign in (first, second, third)]
    row = await connection.fetchrow("SELECT key, value, position FROM platform.outbox ORDER BY row_id LIMIT 1")
    assert row is not None
    assert row["key"] == f"campaign/{first}"
    assert row["position"] == len(story.entries) + 1, "on rows with all that was recovered, the clock decides anew"
    event = orjson.loads(row["value"])
    assert (event["time"], event["data"]["service_id"]) == ("2026-11-15T21:00:00.000000Z", "S0")

    # A person has to decide about them, or has discarded them.
    for discarded_at in (None, DUE):
        await connection.execute("UPDATE platform.outbox SET held_at = now(), discarded_at = $1", discarded_at)
        again, _ = await timers_at(DUE)
        assert await again.look() == 0

    # The first is registered and not applied yet; the second waits; the third is lost, as with a restored database.
    claim = sha256(f"urn:yesser:agency:platform\0escalated.{first}".encode()).digest()[:16]
    await connection.execute("INSERT INTO log.event_id VALUES ($1, '', 99)", claim)
    await connection.execute("DELETE FROM platform.outbox WHERE event_id <> $1", f"escalated.{second}")
    again, _ = await timers_at(DUE + timedelta(days=30))
    assert await again.look() == 1
    assert await waiting(connection) == [f"escalated.{second}", f"escalated.{third}"]


async def test_nothing_is_decided_on_rows_that_lack_an_entry_by_a_wrong_clock_or_by_a_process_that_was_replaced(
    connection: Connection, timers_at: Start
) -> None:
    timers, clock = await timers_at(DUE)
    with pytest.raises(NotCaughtUp):
        await timers.look()
    story, (completed, lacking) = launches(2)
    story.at = "2026-11-15T21:00:00.000000Z"
    story.complete(completed)
    by_midnight = len(story.entries)
    story.at = "2026-11-15T21:00:00.000001Z"
    story.announce("I")
    await make_live(connection, story)
    await connection.execute("UPDATE platform.position SET rules_version = rules_version - 1")
    with pytest.raises(NotCaughtUp, match="no rows of this release"):
        await timers.look()
    await set_position(connection, by_midnight - 1)
    with pytest.raises(NotCaughtUp, match=f"contain {by_midnight - 1} of {by_midnight} entries"):
        await timers.look()
    await set_position(connection, by_midnight)
    for clock.database_ahead_s in (-300.1, 300.1):
        with pytest.raises(ClocksDiffer):
            await timers.look()
    clock.database_ahead_s = 0
    successor, later = await timers_at(DUE)
    with pytest.raises(Fenced):
        await timers.look()
    assert await waiting(connection) == []
    assert await successor.look() == 1
    assert await waiting(connection) == [f"escalated.{lacking}"]

    await set_position(connection, len(story.entries))
    successor.database_clock = database_now
    later.now = datetime.now(UTC)
    await successor.look()
    later.now += timedelta(days=400)
    with pytest.raises(ClocksDiffer):
        await successor.look()


async def test_a_paused_campaign_is_escalated_after_its_moved_due_date_and_a_late_trigger_at_once(
    connection: Connection, timers_at: Start
) -> None:
    """The launch of `late` waits for the registration of its service, and counts from its own entry."""
    story, (campaign, other) = launches(2)
    late = story.launch("late")
    story.at = "2026-11-12T08:00:00.000000Z"  # a Thursday; two working days are left
    story.change("suspended", "S0")
    story.come_back()
    story.at = "2026-11-23T08:00:00.000000Z"  # a Monday
    story.announce("I")
    await make_live(connection, story)
    timers, clock = await timers_at(datetime(2026, 11, 23, 9, tzinfo=UTC))
    assert await timers.look() == 1
    assert await waiting(connection) == [f"escalated.{other}"]

    story.change("resumed", "S0")
    story.register("late")
    story.come_back()
    await make_live_again(connection, story)
    assert story.campaign(campaign).due_on == "2026-11-24"
    assert await timers.look() == 1
    assert await waiting(connection) == [f"escalated.service-launched.i{late}"]
    await connection.execute("DELETE FROM platform.outbox")
    clock.now = datetime(2026, 11, 24, 21, tzinfo=UTC) + SETTLING
    assert await timers.look() == 1
    assert await waiting(connection) == [f"escalated.{campaign}"]


async def test_an_unaired_service_is_triggered_once_for_each_channel(connection: Connection, timers_at: Start) -> None:
    rules = RuleSet((read_rule(ROOT / "docs" / "examples" / "campaign-rules" / "not-aired.yaml"),))
    story, (campaign,) = launches()
    story.acknowledge(campaign)
    story.air(campaign, "A", "tv")
    story.complete(campaign)
    await make_live(connection, story)
    fifteenth = datetime(2026, 11, 22, 21, tzinfo=UTC)
    timers, clock = await timers_at(fifteenth + SETTLING - timedelta(microseconds=1), rules=rules)
    assert await timers.look() == 0

    clock.now = fifteenth + SETTLING
    assert await timers.look() == 2
    launch = campaign.rpartition(".")[2]
    ids = [f"triggered.not-aired.{launch}.{channel}" for channel in ("radio", "print")]
    assert await waiting(connection) == ids
    for day in (0, -4, 1, 30):
        clock.now = fifteenth + SETTLING + timedelta(days=day)
        assert await timers.look() == 0
    again, _ = await timers_at(fifteenth + timedelta(days=9), rules=rules)
    assert await again.look() == 0
    assert await waiting(connection) == ids
