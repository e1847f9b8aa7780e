"""Deletes what receivers answered to deliveries of a text that was withheld since: an answer may repeat it.

The message itself holds no text: its body is made when it is sent.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from consumers.delivery import delivery_lease
from infra.postgres.connection import Connection
from infra.postgres.sql import queries
from infra.process.leader_election import Term
from infra.process.tasks import pause
from infra.settings import Settings

LOOK_EVERY_S: Final = 60.0
"""Longer than an attempt takes."""
_SQL: Final = queries("consumers.delivery", "withheld.sql")


async def delete_withheld(settings: Settings, term: Term, round_ended: Callable[[], None]) -> None:
    """A part of the delivery process: until the term's `stop`."""
    async with term.connected(settings, "delivery withheld") as connection:
        looked_up_to = 0
        while not term.stop.is_set():
            looked_up_to = await delete_answers(connection, term.epoch, looked_up_to)
            round_ended()
            await pause(term.stop, LOOK_EVERY_S)


async def delete_answers(connection: Connection, epoch: int, looked_up_to: int) -> int:
    """Delete the answers to deliveries of what was withheld from the position on; returns up to where it looked.

    `looked_up_to`: what the round before returned. The position moves there: what was being sent at that time has
    been answered by now. Raises `Fenced`.
    """
    async with connection.transaction():
        await delivery_lease.hold(connection, epoch)
        position: int = await connection.fetchval(_SQL["position"]) or 0
        row = await connection.fetchrow(_SQL["withheld"], position)
        if row is None or row["indexes"] is None:
            return position
        await connection.execute(_SQL["delete_answers"], row["indexes"])
        if looked_up_to > position:
            await connection.execute(_SQL["move"], looked_up_to)
        return int(row["next_index"])
