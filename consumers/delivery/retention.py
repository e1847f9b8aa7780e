"""How long the delivery process keeps what it did: messages that have ended, attempts to deliver them; and of
addresses that are no contacts any more, what their readers decided.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from infra.postgres.connection import Connection
from infra.postgres.sql import queries
from infra.process.leader_election import Term
from infra.process.retention import Delete, keep_retention
from infra.settings import Settings

RECIPIENTS_KEEP_DAYS: Final = 30
_SQL: Final = queries("consumers.delivery", "retention.sql")


async def forget(settings: Settings, term: Term, round_ended: Callable[[], None]) -> None:
    """A part of the delivery process, which never fails: deletes what is older than its retention."""
    round_ended()
    tables = {
        "delivery.attempt": _older_than("attempts", settings.webhook_attempts_keep_days),
        "delivery.message": _older_than("messages", settings.messages_keep_days),
        "delivery.notice": _older_than("notices", settings.messages_keep_days),
        "delivery.noted": _older_than("noted", settings.messages_keep_days),
        "delivery.mail_link": _older_than("links", 0),
        "delivery.recipient": delete_recipients,
    }
    await keep_retention(settings, term, tables)


def _older_than(name: str, days: int) -> Delete:
    async def delete(connection: Connection, rows_max: int) -> str:
        return await connection.execute(_SQL[name], days, rows_max)

    return delete


delete_recipients: Final = _older_than("recipients", RECIPIENTS_KEEP_DAYS)
"""What stopped letters stays: it holds where the address is added again."""
