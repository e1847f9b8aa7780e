"""Refused records as they came, as far as their bytes are kept: the operator's alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast

from events.validation.verdicts import Agency
from events.values.fields import Role
from infra.log.refusals.read import refusal
from infra.postgres.connection import Connection
from infra.postgres.sql import queries
from producers.refusals.documents import NoSuchRefusal, Redrive, RefusalDocument, document_of

SQL: Final = queries("producers.refusals", "read.sql")


@dataclass(frozen=True, slots=True)
class Record:
    """A refused record. `is_kept`: `value` and `headers` are the original record."""

    index: int
    agency: Agency
    is_kept: bool
    value: bytes | None
    headers: list[tuple[str, bytes | None]]


async def read_refusal(connection: Connection, index: int) -> Record:
    """The refusal at this index. Raises `NoSuchRefusal`."""
    row = await connection.fetchrow(SQL["one"], index)
    if row is None:
        raise NoSuchRefusal(f"entry {index} is not a refusal: see `yesser refusals list`")
    return Record(
        index=row["index"],
        agency=Agency(row["agency"], cast(Role, row["role"] or "agency")),
        is_kept=row["is_kept"],
        value=row["value"],
        headers=headers_of(row["headers"] or []),
    )


def headers_of(stored: Sequence[tuple[str, str | None]]) -> list[tuple[str, bytes | None]]:
    """The headers of a record as they came. Entries of earlier releases hold a null value as an empty one."""
    return [(name, None if value is None else bytes.fromhex(value)) for name, value in stored]


async def shown(connection: Connection, index: int) -> RefusalDocument:
    """A refusal with all that is known of it. Raises `NoSuchRefusal`."""
    record = await read_refusal(connection, index)
    found = await refusal(connection, index)
    assert found is not None
    redrives = [
        Redrive(row["event_id"], row["sent_at"].isoformat(), row["accepted_index"])
        for row in await connection.fetch(SQL["redrives"], index)
    ]
    headers = {name: None if value is None else value.decode("utf-8", "replace") for name, value in record.headers}
    return document_of(found, kept=record.is_kept, headers=headers, redrives=redrives)
