"""The sender of a route on the real PostgreSQL. The route is of text messages: one class, as another would be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from math import inf

import pytest

from consumers.delivery.sending.messages import database_now
from consumers.delivery.sending.route import Attempt, Limits, Message, NextStep, Outcome, Route, State
from consumers.delivery.sending.sender import Sender
from events.errors import Fenced, Halt
from infra.postgres.connection import Connection, connected
from infra.process.leader_election import Term
from infra.settings import Settings
from tests.world.mail import epoch_of
from tests.world.teams import add_team, until
from tests.world.waits import until as until_true

HOURS = timedelta(hours=1)
DELIVERED = "SELECT count(*) FROM delivery.message WHERE state = 'delivered'"


class Texts(Route[str]):
    """Sends to one number; `answers` by the event's id, else it is delivered. It has the rows of e-mails."""

    name = "email"
    limits = Limits(
        in_flight_max=4,
        each_max=2,
        ready_max=8,
        rests_after=1,
        lane_wait=None,
        wait_max=HOURS,
        finish_s=0.1,
        counts_first=True,
    )

    def __init__(self) -> None:
        self.got: list[str] = []
        self.answers: dict[str, Callable[[], Outcome]] = {}
        self.is_readable = True

    async def load(self, connection: Connection, messages: Sequence[Message], now: datetime) -> Sequence[str]:
        if not self.is_readable:
            raise Halt("a key is missing")
        return [message.event_id for message in messages]

    async def attempt(self, message: Message, content: str) -> Attempt:
        self.got.append(content)
        await asyncio.sleep(0)
        outcome = self.answers.get(content, lambda: Outcome(200, None, 1))()
        ends: State = "delivered" if outcome.delivered else "failed" if outcome.error else "waiting"
        return Attempt(message, datetime.now(UTC), outcome, NextStep(ends))

    def is_failing(self, outcome: Outcome) -> bool:
        return not outcome.delivered


def is_cut() -> Outcome:
    raise asyncio.CancelledError


async def put(connection: Connection, *event_ids: str, wait: timedelta = timedelta(0)) -> None:
    await add_team(connection)
    for event_id in event_ids:
        await connection.execute(
            "INSERT INTO delivery.message (route, agency, team, kind, event_id, lane, next_attempt_at)"
            " VALUES ('email', 'health', 'press', 'digest', $1, $1, clock_timestamp() + $2)",
            event_id,
            wait,
        )


async def attempts(connection: Connection) -> list[int]:
    return [row["attempts"] for row in await connection.fetch("SELECT attempts FROM delivery.message ORDER BY 1")]


@asynccontextmanager
async def sending(settings: Settings, connection: Connection, route: Texts) -> AsyncIterator[Term]:
    """The sender at work, with hours between its rounds: it is woken."""
    term = Term(await epoch_of(connection, settings), asyncio.Event())
    async with connected(settings.acting_as("delivery"), "texts") as own:
        task = asyncio.create_task(Sender(route, term, own).run(lambda: None, HOURS.total_seconds()))
        try:
            yield term
        finally:
            term.stop.set()
            await put(connection, "last")  # it wakes
            await task


async def test_a_message_wakes_its_sender_and_may_be_due_later(settings: Settings, connection: Connection) -> None:
    route = Texts()
    await put(connection, "before")
    async with sending(settings, connection, route):
        await until(connection, DELIVERED, 1)
        await put(connection, "later", wait=timedelta(seconds=0.3))
        await put(connection, "new")
        await until(connection, DELIVERED, 3)
    assert route.got[:3] == ["before", "new", "later"]


async def test_a_cut_request_may_have_arrived_and_is_made_again(settings: Settings, connection: Connection) -> None:
    route = Texts()
    route.answers = {"cut": is_cut}
    async with sending(settings, connection, route):
        await put(connection, "cut", "other")
        await until_true(lambda: route.got.count("cut") > 1, "it is made again")
        route.answers = {}
        await until(connection, DELIVERED, 2)
    assert route.got.count("other") == 1
    unknown = "SELECT attempts - (SELECT count(*) FROM delivery.attempt a WHERE a.message_id = m.message_id)"
    assert await connection.fetchval(f"{unknown} FROM delivery.message m WHERE event_id = 'cut'") > 0


async def test_a_failing_destination_rests_and_gets_one_at_a_time(settings: Settings, connection: Connection) -> None:
    route = Texts()
    await put(connection, *"abcdef")
    now = await database_now(connection)

    async def clock(_: Connection) -> datetime:
        return now

    async with connected(settings.acting_as("delivery"), "texts") as own:
        sender = Sender(route, Term(await epoch_of(connection, settings), asyncio.Event()), own, clock)

        async def waits_s() -> float:
            """After all that may be sent now."""
            while (wait_s := await sender.round()) == 0 or sender.requests:
                if sender.requests:
                    await asyncio.wait(sender.requests)
            return wait_s

        route.answers = dict.fromkeys("abcdef", lambda: Outcome(503, None, 1))
        await sender.begin()
        assert await waits_s() == 10, "two were under way, and both failed"
        assert route.got == ["a", "b"]
        now += timedelta(seconds=10)
        assert await waits_s() == 20
        assert route.got[2:] == ["a"], "one shows whether it works again"
        now -= 2 * HOURS  # the clock went back: the rest is over
        assert await waits_s() == 40
        now += timedelta(seconds=40)
        route.answers = {}
        assert await waits_s() == inf
        assert await connection.fetchval(DELIVERED) == 6

        # Nothing waits for it any more, and its rest ends.
        route.answers = {"last": lambda: Outcome(503, "refused", 1)}
        await put(connection, "last")
        now += 3 * HOURS
        assert await waits_s() == 5
        now += timedelta(seconds=5)
        assert await waits_s() == inf


async def test_a_wait_longer_than_any_is_of_a_clock_set_back(settings: Settings, connection: Connection) -> None:
    route = Texts()
    async with sending(settings, connection, route):
        await put(connection, "of the future", wait=2 * HOURS)
        await until(connection, DELIVERED, 1)
        await put(connection, "in half an hour", wait=HOURS / 2)
        await put(connection, "new")
        await until(connection, DELIVERED, 2)
    assert "in half an hour" not in route.got


async def test_a_halt_counts_no_attempt_and_a_lost_lease_makes_none(settings: Settings, connection: Connection) -> None:
    route = Texts()
    route.is_readable = False
    await put(connection, "a")
    term = Term(await epoch_of(connection, settings), asyncio.Event())
    async with connected(settings.acting_as("delivery"), "texts") as own:
        for _ in range(5):
            with pytest.raises(Halt):
                await Sender(route, term, own).run(lambda: None, 1)
        assert await attempts(connection) == [0]
        route.is_readable = True
        await epoch_of(connection, settings, "another")
        with pytest.raises(Fenced):
            await Sender(route, term, own).run(lambda: None, 1)
    assert (route.got, await attempts(connection)) == ([], [0])
