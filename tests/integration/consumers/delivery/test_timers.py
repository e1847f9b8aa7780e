"""The timers on the real PostgreSQL: each escalation once, from rows that contain the log, whatever the clock does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256

import orjson
import pytest
from structlog.testing import capture_logs

from consumers.campaigns.rules.in_force import release_rules
from consumers.campaigns.rules.rule import RuleSet
from consumers.campaigns.rules.rule_file import read_rule
from consumers.delivery.delivery import Delivery, Part
from consumers.delivery.delivery_lease import LEASE
from consumers.delivery.timers.timers import NotCaughtUp, Timers, database_now, set_off, settling_time
from consumers.registrar.guards.clocks import ClockCheck, ClocksDiffer
from events.errors import Fenced, Halt
from infra.postgres.connection import Connection, connected
from infra.process import lease
from infra.process.leader_election import Term
from infra.settings import Settings
from tests.paths import ROOT
from tests.world.story import Story
from tests.world.teams import launches, live_launches, make_live, make_live_again, set_position
from tests.world.waits import running, until

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


def set_off_at(now: datetime) -> Part:
    """The timers as a part of the process, at a moment that lasts."""
    clock = MovedClock(now)
    return partial(set_off, clock=clock, database_clock=clock.database)


async def waiting(connection: Connection) -> list[str]:
    """The ids in the outbox, in row order."""
    return [row["event_id"] for row in await connection.fetch("SELECT event_id FROM platform.outbox ORDER BY row_id")]


async def test_a_campaign_is_escalated_at_midnight_and_not_before(connection: Connection, timers_at: Start) -> None:
    story, (campaign,) = await live_launches(connection)
    timers, clock = await timers_at(DUE - timedelta(microseconds=1))
    assert await timers.look() == 0

    clock.now = DUE
    assert await timers.look() == 1
    assert await timers.look() == 0
    (row,) = await connection.fetch("SELECT event_id, key, value, position FROM platform.outbox")
    assert (row["event_id"], row["key"]) == (f"escalated.{campaign}", f"campaign/{campaign}")
    assert row["position"] == len(story.entries) + 1, "on rows with all that was recovered, the clock decides anew"
    event = orjson.loads(row["value"])
    assert event["time"] == "2026-11-15T21:00:00.000000Z"
    assert event["data"]["service_id"] == "S0"


async def test_after_a_restart_what_is_in_the_outbox_or_in_the_log_is_not_decided_again(
    connection: Connection, timers_at: Start
) -> None:
    _, (first, second, third) = await live_launches(connection, 3)
    timers, _ = await timers_at(DUE)
    assert await timers.look() == 3
    before = await waiting(connection)
    assert before == [f"escalated.{campaign}" for campaign in (first, second, third)]

    # The first is registered and not applied yet; the second waits; the third is lost, as with a restored database.
    claim = sha256(f"urn:yesser:agency:platform\0escalated.{first}".encode()).digest()[:16]
    await connection.execute("INSERT INTO log.event_id VALUES ($1, '', 99)", claim)
    await connection.execute("DELETE FROM platform.outbox WHERE event_id <> $1", f"escalated.{second}")
    again, _ = await timers_at(DUE + timedelta(days=3))
    assert await again.look() == 1
    assert await waiting(connection) == [f"escalated.{second}", f"escalated.{third}"]


async def test_what_a_person_has_to_decide_or_has_discarded_is_not_decided_again(
    connection: Connection, timers_at: Start
) -> None:
    await live_launches(connection)
    timers, _ = await timers_at(DUE)
    assert await timers.look() == 1
    for discarded_at in (None, DUE):
        await connection.execute("UPDATE platform.outbox SET held_at = now(), discarded_at = $1", discarded_at)
        again, _ = await timers_at(DUE)
        assert await again.look() == 0


async def test_what_is_applied_as_escalated_is_not_decided_again(connection: Connection, timers_at: Start) -> None:
    story, _ = launches()
    story.tell("platform", "campaign.escalated", **story.entries[-1].data)
    await make_live(connection, story)
    timers, _ = await timers_at(DUE + timedelta(days=30))
    assert await timers.look() == 0


async def test_nothing_is_decided_on_rows_that_lack_an_entry_recorded_by_midnight(
    connection: Connection, timers_at: Start
) -> None:
    story, (campaign,) = launches()
    story.at = "2026-11-15T21:00:00.000000Z"
    story.complete(campaign)
    by_midnight = len(story.entries)
    story.at = "2026-11-15T21:00:00.000001Z"
    story.announce("I")
    await make_live(connection, story)
    timers, _ = await timers_at(DUE)
    await set_position(connection, by_midnight - 1)
    with pytest.raises(NotCaughtUp, match=f"contain {by_midnight - 1} of {by_midnight} entries"):
        await timers.look()
    await set_position(connection, by_midnight)
    assert await timers.look() == 0
    assert await waiting(connection) == []


async def test_nothing_is_decided_on_rows_of_another_version(connection: Connection, timers_at: Start) -> None:
    await live_launches(connection)
    await connection.execute("UPDATE platform.position SET rules_version = rules_version - 1")
    timers, _ = await timers_at(DUE)
    with pytest.raises(NotCaughtUp, match="no rows of this release"):
        await timers.look()


async def test_before_the_campaigns_have_rows_the_timers_wait(timers_at: Start) -> None:
    timers, _ = await timers_at(DUE)
    with pytest.raises(NotCaughtUp):
        await timers.look()


async def test_a_process_that_was_replaced_writes_nothing(connection: Connection, timers_at: Start) -> None:
    await live_launches(connection)
    late, _ = await timers_at(DUE)
    await timers_at(DUE)
    with pytest.raises(Fenced):
        await late.look()
    assert await waiting(connection) == []


async def test_where_the_clocks_differ_nothing_is_decided(connection: Connection, timers_at: Start) -> None:
    await live_launches(connection)
    timers, clock = await timers_at(DUE + timedelta(days=1))
    for clock.database_ahead_s in (-300.1, 300.1):
        with pytest.raises(ClocksDiffer):
            await timers.look()
    assert await waiting(connection) == []
    clock.database_ahead_s = 0
    assert await timers.look() == 1


async def test_the_real_clock_of_the_database_is_compared(connection: Connection, timers_at: Start) -> None:
    await live_launches(connection)
    timers, clock = await timers_at(datetime.now(UTC))
    timers.database_clock = database_now
    await timers.look()
    clock.now += timedelta(days=400)
    with pytest.raises(ClocksDiffer):
        await timers.look()


@pytest.mark.parametrize(
    ("database_ahead_s", "by_this_clock"),
    [
        (0, timedelta(0)),
        (-300, timedelta(seconds=300)),  # this machine's clock is ahead, and it waits for PostgreSQL's
        (300, timedelta(0)),  # this machine's clock is behind, and it waits for its own
    ],
)
async def test_an_acknowledgement_of_a_moment_before_midnight_is_not_escalated_over(
    connection: Connection,
    timers_at: Start,
    database_ahead_s: float,
    by_this_clock: timedelta,
) -> None:
    """The registrar's clock is 300 s behind PostgreSQL's: what it records 329 s after midnight is of 23:59:29."""
    story, (campaign,) = await live_launches(connection)
    before = MIDNIGHT + by_this_clock + SETTLING - timedelta(microseconds=1)
    timers, clock = await timers_at(before)
    clock.database_ahead_s = database_ahead_s
    assert await timers.look() == 0, "nothing is decided while such an entry may still come"

    story.at = "2026-11-15T20:59:30.000000Z"
    story.acknowledge(campaign)
    for channel in ("tv", "radio", "print"):
        story.air(campaign, f"A-{channel}", channel)
    await make_live_again(connection, story)
    clock.now = before + timedelta(seconds=1)
    assert await timers.look() == 0
    assert await waiting(connection) == []


async def test_a_clock_that_jumps_forward_and_back_loses_nothing_and_repeats_nothing(
    connection: Connection, timers_at: Start
) -> None:
    story, first = launches(2)
    story.at = "2026-11-02T08:00:00.000000Z"
    story.register("later")
    later = f"service-launched.i{story.launch('later')}"
    story.come_back()
    await make_live(connection, story)
    timers, clock = await timers_at(DUE)
    days = [0, 0, -5, 0, 1, -3, 1, 400, 0, 2]
    found = []
    for day in days:
        clock.now = DUE + timedelta(days=day)
        found.append(await timers.look())
    assert found == [2, 0, 0, 0, 1, 0, 0, 0, 0, 0]
    assert await waiting(connection) == [f"escalated.{campaign}" for campaign in (*first, later)]


async def test_a_trigger_that_comes_after_its_due_date_is_escalated_at_once(
    connection: Connection, timers_at: Start
) -> None:
    """A launch waits for the registration of its service, and counts from its own entry."""
    story = Story()
    launched = story.launch("S")
    story.at = "2026-12-20T08:00:00.000000Z"
    early = len(story.entries)
    await make_live(connection, story)
    timers, _ = await timers_at(datetime(2026, 12, 21, tzinfo=UTC))
    assert await timers.look() == 0

    story.register("S")
    story.come_back()
    await make_live_again(connection, story)
    assert early < len(story.entries)
    assert await timers.look() == 1
    assert await waiting(connection) == [f"escalated.service-launched.i{launched}"]


async def test_a_paused_campaign_is_escalated_after_the_due_date_that_its_resumption_moved(
    connection: Connection, timers_at: Start
) -> None:
    story, (campaign, other) = launches(2)
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
    story.come_back()
    await make_live_again(connection, story)
    assert story.campaign(campaign).due_on == "2026-11-24"
    assert await timers.look() == 0
    clock.now = datetime(2026, 11, 24, 21, tzinfo=UTC) + SETTLING
    assert await timers.look() == 1
    assert await waiting(connection) == [f"escalated.{campaign}"]


async def test_a_service_that_was_not_aired_is_triggered_at_its_midnight_once_for_each_channel(
    connection: Connection, timers_at: Start
) -> None:
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


async def test_the_delivery_process_waits_for_the_rows_and_then_escalates(
    settings: Settings, connection: Connection
) -> None:
    story, (campaign,) = await live_launches(connection)
    await set_position(connection, len(story.entries) - 1)
    delivery = Delivery(settings, parts=(set_off_at(DUE),))
    with capture_logs() as lines:
        async with running(delivery):

            async def is_waiting() -> bool:
                return [line["error_class"] for line in lines if line["event"] == "timers are waiting"] == [
                    "NotCaughtUp"
                ]

            await until(is_waiting, "the timers wait, and say so once")
            assert delivery.readiness().ready
            await set_position(connection, len(story.entries))

            async def is_escalated() -> bool:
                return await waiting(connection) == [f"escalated.{campaign}"]

            await until(is_escalated, "the campaign is escalated")
    assert [line["event"] for line in lines if line["event"].startswith("timers")] == [
        "timers are waiting",
        "timers go on",
    ]


async def test_while_one_part_is_halted_the_others_go_on(settings: Settings, connection: Connection) -> None:
    _, (campaign,) = await live_launches(connection)
    given = asyncio.Event()

    async def needs_a_key(settings: Settings, term: Term, round_ended: Callable[[], None]) -> None:
        if not given.is_set():
            raise Halt("the key is missing")
        round_ended()
        await term.stop.wait()

    delivery = Delivery(settings, parts=(needs_a_key, set_off_at(DUE)))
    async with running(delivery):

        async def is_escalated() -> bool:
            return await waiting(connection) == [f"escalated.{campaign}"]

        await until(is_escalated, "the campaign is escalated")
        readiness = delivery.readiness()
        assert not readiness.ready
        assert readiness.details["halted"] == "the key is missing"
        given.set()

        async def is_ready() -> bool:
            return delivery.readiness().ready

        await until(is_ready, "the process is ready again")
