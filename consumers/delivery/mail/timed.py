"""Messages that the clock makes: reminders and digests, and letters that ask the reader of an address to confirm it.

A reminder or a digest is made once: its id names the campaign and the due date, or the Sunday. They come from the
campaigns' rows as far as the log was known a round ago, so that a consumer that is far behind makes no reminder of what
was acknowledged meanwhile. Letters that ask are few, so that nobody uses them to write to strangers.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from consumers.delivery.delivery_lease import hold
from consumers.delivery.recipients import SQL as RECIPIENTS
from consumers.replay.as_of.point_in_time import RIYADH
from events.values.working_days import is_working_day
from infra.postgres.connection import Connection
from infra.postgres.sql import queries
from infra.process.leader_election import Term
from infra.process.tasks import pause
from infra.settings import Settings

ASKS: Final = "confirm-address"
"""The kind of a letter that asks the reader of an address to confirm it."""
HOUR: Final = 8
"""Reminders and digests leave at 08:00."""
REMINDER_WORKING_DAYS: Final = 2
DIGEST_VALID: Final = timedelta(days=2)
"""A digest that could not be made or sent for this long is left out: the next one tells the same."""
_SUNDAY: Final = 6
_LONGEST_FEAST_DAYS: Final = 21
"""No two working days lie further apart than that: a feast with its weekends, and the two days of the reminder."""
MAKE_EVERY_S: Final = 30.0
TEAM_LETTERS_A_DAY: Final = 9
"""As many as a team has contacts."""
AGENCY_LETTERS_A_DAY: Final = 30

_SQL: Final = queries("consumers.delivery.mail", "timed.sql")


async def make_letters(settings: Settings, term: Term, round_ended: Callable[[], None]) -> None:
    """A part of the delivery process: makes what is due, until the term's `stop`. Nothing where no e-mails are sent."""
    if settings.mail_server is None:
        await term.stop.wait()
        return
    async with term.connected(settings, "delivery letters") as connection:
        timed = TimedMessages()
        while not term.stop.is_set():
            await timed.make(connection, term.epoch, datetime.now(UTC))
            await ask(connection, term.epoch, datetime.now(UTC))
            round_ended()
            await pause(term.stop, MAKE_EVERY_S)


class TimedMessages:
    """Makes the messages that are due. It knows the size that the log had a round ago."""

    def __init__(self) -> None:
        self._size_before: int | None = None

    async def make(self, connection: Connection, epoch: int, now: datetime) -> None:
        """One round: the reminders and digests of this moment. The first round only notes the log's size. Raises
        `Fenced`.
        """
        async with connection.transaction():
            await hold(connection, epoch)
            row = await connection.fetchrow(_SQL["campaigns_position"])
            if row is None or not row["exist"]:
                return
            size_before, self._size_before = self._size_before, row["size"]
            if size_before is None or row["applied"] < size_before:
                return
            await connection.execute(_SQL["remind"], due_dates_to_remind_of(now), now)
            moment = digest_moment(now)
            if moment is not None:
                await connection.execute(_SQL["digest"], moment, today(moment), now)


async def ask(connection: Connection, epoch: int, now: datetime) -> None:
    """Make the letters that are due. An address is asked again when its team saves it again. Raises `Fenced`."""
    async with connection.transaction():
        await hold(connection, epoch)
        await connection.execute(RECIPIENTS["adopt"], None, None)
        while await connection.fetchval(_SQL["ask"], now, TEAM_LETTERS_A_DAY, AGENCY_LETTERS_A_DAY, ASKS) is not None:
            pass


def today(now: datetime) -> str:
    """The civil date in Riyadh."""
    return now.astimezone(RIYADH).date().isoformat()


def reminder_at(due_on: str) -> datetime:
    """08:00 of the day two working days before the due date."""
    day, left = date.fromisoformat(due_on), REMINDER_WORKING_DAYS
    while left > 0:
        day -= timedelta(days=1)
        left -= is_working_day(day.isoformat())
    return _at_eight(day)


def due_dates_to_remind_of(now: datetime) -> list[str]:
    """The due dates whose reminder is due and whose day is not over."""
    first = date.fromisoformat(today(now))
    days = (first + timedelta(days=offset) for offset in range(_LONGEST_FEAST_DAYS))
    return [day.isoformat() for day in days if reminder_at(day.isoformat()) <= now]


def digest_moment(now: datetime) -> datetime | None:
    """The last Sunday 08:00, or None when it is more than `DIGEST_VALID` ago."""
    local = now.astimezone(RIYADH)
    sunday = local.date() - timedelta(days=(local.weekday() - _SUNDAY) % 7)
    moment = _at_eight(sunday)
    if moment > now:
        moment -= timedelta(days=7)
    return moment if now - moment < DIGEST_VALID else None


def _at_eight(day: date) -> datetime:
    return datetime.combine(day, time(HOUR), RIYADH).astimezone(UTC)
