"""Reminders and digests: messages that the clock makes. Each is made once: its id names the campaign and the due
date, or the Sunday.

They come from the campaigns' rows as far as the log was known a round ago, so that a consumer that is far behind
makes no reminder of what was acknowledged meanwhile.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from consumers.delivery.delivery_lease import hold
from consumers.delivery.mail.moments import RIYADH, digest_moment, due_dates_to_remind_of
from infra.postgres.connection import Connection
from infra.postgres.sql import queries

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
                sunday = moment.astimezone(RIYADH).date().isoformat()
                await connection.execute(_SQL["digest"], moment, sunday, now)
