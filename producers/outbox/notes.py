"""The relay's results in the outbox: the rows that are sent, and the faults of those that would be refused.

Every write is fenced by the epoch of the relay's lease.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from events.errors import Fenced
from infra.postgres.connection import Connection
from producers.outbox.outbox import SQL
from producers.outbox.senders import Faults


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that the registrar would refuse, with every fault."""

    row_id: int
    faults: Faults


async def note_sent(connection: Connection, sent: Sequence[tuple[int, str]], epoch: int) -> None:
    """Record the Kafka address of each stored row. Raises `Fenced`."""
    await _note(connection, "sent", [row_id for row_id, _ in sent], [address for _, address in sent], epoch)


async def note_refused(connection: Connection, refused: Sequence[RefusedRow], epoch: int) -> None:
    """Record the faults of each row. Raises `Fenced`."""
    texts = [faults_text(row.faults) for row in refused]
    await _note(connection, "refuse", [row.row_id for row in refused], texts, epoch)


def faults_text(faults: Faults) -> str:
    """The faults as text for jsonb, which cannot hold NUL."""
    rows = [{name: text.replace("\0", "\ufffd") for name, text in fault.items()} for fault in faults]
    return orjson.dumps(rows).decode()


async def _note(connection: Connection, query: str, row_ids: list[int], values: list[str], epoch: int) -> None:
    status = await connection.execute(SQL[query], row_ids, values, epoch)
    if status == "UPDATE 0":
        raise Fenced(f"epoch {epoch} of the outbox was superseded")
