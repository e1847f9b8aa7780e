"""Messages that the clock makes: reminders and digests, and letters that ask the reader of an address to confirm it.

A reminder or a digest is made once: its id names the campaign and the due date, or the Sunday. They come from the
campaigns' rows as far as the log was known a round ago, so that a consumer that is far behind makes no reminder of what
was acknowledged meanwhile. Letters that ask are few, so that nobody uses them to write to strangers.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from consumers.delivery.delivery_lease import hold
from consumers.delivery.mail.moments import digest_moment, due_dates_to_remind_of, today
from consumers.delivery.mail.queue import ASKS
from consumers.delivery.recipients import SQL as RECIPIENTS
from infra.postgres.connection import Connection
from infra.postgres.sql import queries

TEAM_LETTERS_A_DAY: Final = 9
"""As many as a team has contacts."""
AGENCY_LETTERS_A_DAY: Final = 30

_SQL: Final = queries("consumers.delivery.mail", "timed.sql")


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
