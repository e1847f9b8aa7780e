"""A notice as the CloudEvent that a webhook carries: not an entry of the log, and the same bytes each time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

from events.wire.codec import canonical_bytes
from events.wire.entry import recorded_time
from events.wire.envelope import full_type, source_of
from infra.postgres.connection import Connection
from infra.postgres.outbox import PLATFORM
from infra.postgres.sql import queries

SQL: Final = queries("consumers.delivery.notices", "notices.sql")


async def notices(connection: Connection, notice_ids: Collection[str]) -> Mapping[str, bytes]:
    """The events of these notices, by id."""
    rows = await connection.fetch(SQL["notices"], list(notice_ids))
    return {row["notice_id"]: event(*row) for row in rows}


def event(notice_id: str, agency: str, name: str, made_at: datetime, data: Any) -> bytes:
    """The CloudEvent, by the codec that writes the platform's own events."""
    return canonical_bytes(
        {
            "specversion": "1.0",
            "id": notice_id,
            "source": source_of(PLATFORM),
            "type": full_type(name),
            "subject": f"agency/{agency}",
            "time": recorded_time(made_at),
            "datacontenttype": "application/json",
            "data": data,
        }
    )
