"""How webhooks of teams do, what was attempted, and which messages are sent again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from consumers.documents.document import document_of, documents_of
from consumers.documents.teams.webhooks import Attempt, WebhookAndMessages
from infra.postgres.connection import Connection
from infra.postgres.sql import queries

_SQL: Final = queries("consumers.delivery.webhooks", "redelivery.sql")
COUNT_MAX: Final = 1_000
"""Messages of a webhook that are counted in each state."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which messages: the one with this id, or those that were made in this span (`until` excluded)."""

    message_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None

    def words(self) -> list[str]:
        """As options of the command."""
        given = {"--message": self.message_id, "--since": self.since, "--until": self.until}
        return [f"{name} {value}" for name, value in given.items() if value is not None]


async def add_copies(
    connection: Connection, endpoint_id: str, wanted: Wanted, copies_max: int | None = None
) -> list[int]:
    """Copies of the messages that no longer wait, at most so many; their ids. In the caller's transaction.

    They are marked as replays, and have the ids that receivers know.
    """
    given = (wanted.message_id, wanted.since, wanted.until, copies_max)
    rows = await connection.fetch(_SQL["redeliver"], endpoint_id, *given, timeout=None)
    return [row["message_id"] for row in rows]


async def webhooks_of(connection: Connection, agency: str | None) -> list[WebhookAndMessages]:
    """The webhooks of one agency, or of all, and how each does; its messages are counted up to `COUNT_MAX` + 1."""
    return documents_of(WebhookAndMessages, await connection.fetch(_SQL["webhooks"], agency, COUNT_MAX + 1))


async def attempts_at(connection: Connection, endpoint_id: str, message_id: int | None, limit: int) -> list[Attempt]:
    """The newest attempts to deliver to a webhook. `answer` is its first KiB as text."""
    rows = await connection.fetch(_SQL["attempts"], endpoint_id, message_id, limit)
    return [document_of(Attempt, row, answer=(row["answer"] or b"").decode("utf-8", "replace")) for row in rows]
