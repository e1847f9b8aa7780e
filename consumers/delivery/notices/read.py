"""Reads notices, each as the CloudEvent that a webhook carries (no entry of the log, and the same bytes each time), and
what agencies expect of their own systems, compared with what the log has.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

from consumers.delivery.notices.moments import Expected, Period, has_come, last_period
from consumers.delivery.timers.timers import settling_time
from events.wire.codec import build_event
from events.wire.entry import recorded_time
from infra.log.reader import entries_recorded_before, entries_recorded_by
from infra.postgres.connection import Connection
from infra.postgres.outbox import PLATFORM
from infra.postgres.sql import queries
from infra.settings import Settings

SQL: Final = queries("consumers.delivery.notices", "notices.sql")


async def notices(connection: Connection, notice_ids: Collection[str]) -> Mapping[str, bytes]:
    """The events of these notices, by id."""
    rows = await connection.fetch(SQL["notices"], list(notice_ids))
    return {row["notice_id"]: event(*row) for row in rows}


def event(notice_id: str, agency: str, name: str, made_at: datetime, data: Any) -> bytes:
    """The CloudEvent, by the codec that writes the platform's own events."""
    time, subject = recorded_time(made_at), f"agency/{agency}"
    return build_event(type=name, agency=PLATFORM, id=notice_id, subject=subject, time=time, data=data)


async def silences(
    connection: Connection,
    settings: Settings,
    now: datetime,
    agency: str | None = None,
    *,
    after: int = -1,
    limit: int | None = None,
) -> list[tuple[Expected, Period | None]]:
    """What agencies expect, or one, each with the last period if nothing came in it or since.

    A period is judged some minutes after its end, when all that was recorded in it is committed and in the index of
    events; until then none is missed.
    """
    rows = await connection.fetch(SQL["expected"], agency, after, limit)
    position: int | None = await connection.fetchval(SQL["index_position"]) if rows else None
    if position is None:
        return [(Expected(**row, last_index=None), None) for row in rows]
    last = dict(await connection.fetch(SQL["last_entries"], [row["expectation_id"] for row in rows]))
    expected = [Expected(**row, last_index=last[row["expectation_id"]]) for row in rows]
    at = now - settling_time(settings)
    if position < await entries_recorded_by(connection, at):
        return [(each, None) for each in expected]
    periods = [last_period(each, at) for each in expected]
    sizes = {
        since: await entries_recorded_before(connection, since)
        for since in {period.since for period in periods if period is not None}
    }
    return [
        (each, None if period is None or has_come(each, sizes[period.since]) else period)
        for each, period in zip(expected, periods, strict=True)
    ]
