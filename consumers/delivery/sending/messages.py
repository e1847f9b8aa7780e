"""The messages that wait, and what became of each: the rows of `delivery.message`, for many at once.

Times are the database's. A message that is added wakes the sender when its transaction commits (`delivery.wake`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from consumers.delivery.sending.route import Attempt, Limits, Message
from infra.postgres.connection import Connection
from infra.postgres.sql import queries

CHANNEL: Final = "yesser_delivery"
"""New messages are announced on it, as `ROUTE DESTINATION`."""

_SQL: Final = queries("consumers.delivery.sending", "messages.sql")


async def database_now(connection: Connection) -> datetime:
    now: datetime = await connection.fetchval(_SQL["now"])
    return now


async def waiting(connection: Connection, route: str) -> set[str]:
    """The destinations for which something waits, now or later."""
    return {row["destination"] for row in await connection.fetch(_SQL["waiting"], route)}


async def due(
    connection: Connection, wanted: Mapping[str, int], in_hand: Collection[int], limits: Limits, now: datetime
) -> list[Message]:
    """The messages whose turn it is, at most as many of each destination as wanted, without those in hand."""
    rows = await connection.fetch(
        _SQL["due"], list(wanted), list(wanted.values()), list(in_hand), now, limits.lane_wait, limits.wait_max
    )
    return [Message(*row) for row in rows]


async def next_due(
    connection: Connection, read: Iterable[tuple[str, datetime]], lane_wait: timedelta | None
) -> dict[str, datetime]:
    """When something of a destination becomes due that was not when it was last read."""
    read = list(read)
    if not read:
        return {}
    destinations, times = zip(*read, strict=True)
    return dict(await connection.fetch(_SQL["next_due"], destinations, times, lane_wait))


async def count_attempts(connection: Connection, message_ids: Collection[int]) -> None:
    """An attempt for each of these messages is about to be made. In the caller's transaction."""
    await connection.execute(_SQL["count_attempts"], list(message_ids))


async def record(connection: Connection, attempts: Sequence[Attempt], now: datetime) -> None:
    """Write attempts and what follows for their messages, in the caller's transaction."""
    if not attempts:
        return
    made, results = [], []
    for attempt in attempts:
        message, outcome, verdict = attempt.message, attempt.outcome, attempt.verdict
        known = (message.message_id, message.attempts + 1)
        made.append((*known, attempt.at, outcome.status, outcome.latency_ms, outcome.error, outcome.answer))
        results.append((message.message_id, verdict.state, message.attempts + 1, attempt.late, verdict.wait_s))
    await connection.execute(_SQL["attempted"], *zip(*made, strict=True))
    await connection.execute(_SQL["recorded"], *zip(*results, strict=True), now)


async def cancel(connection: Connection, destinations: Collection[str], now: datetime) -> None:
    """What waits for these destinations is not sent. It can be redelivered."""
    if destinations:
        await connection.execute(_SQL["cancel"], list(destinations), now)
