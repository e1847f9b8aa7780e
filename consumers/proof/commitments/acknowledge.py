"""Acknowledges a wrong commitment: it stays wrong, and its alarm ends, with a reason in the log itself."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from consumers.documents.log.commitments import Claim
from consumers.proof.commitments.claims import ACKNOWLEDGED, said_among
from events.errors import YesserError
from events.wire.entry import recorded_time
from infra.command_line.database import with_database
from infra.log.reader import read_checked
from infra.postgres import outbox_table
from infra.postgres.connection import Connection
from infra.postgres.outbox import OutboxEvent
from infra.postgres.trail import add_to_trail
from infra.settings import Settings

_NONCE_BYTES: Final = 8


class NoCommitment(YesserError):
    """There is no commitment at this index: `yesser audit commitments` names those that do not match."""


def trail_command(index: int) -> str:
    """The command, as the trail has it."""
    return f"audit acknowledge {index}"


def acknowledged(settings: Settings, index: int, reason: Mapping[str, str]) -> Claim:
    """`acknowledge` by an operator, now."""
    settings = settings.acting_as("operator")
    return with_database(
        settings, "acknowledge", lambda connection: acknowledge(connection, index, reason, lambda: datetime.now(UTC))
    )


def event_of(claim: Claim, reason: Mapping[str, str], now: datetime) -> OutboxEvent:
    """Each has an id of its own: a reason may be corrected."""
    return OutboxEvent(
        id=f"acknowledged.{claim.name}.i{claim.index}.{secrets.token_hex(_NONCE_BYTES)}",
        type=ACKNOWLEDGED,
        subject=f"projection/{claim.name}",
        data={"name": claim.name, "commitment_index": claim.index, "reason": dict(reason)},
        time=recorded_time(now),
        cause_index=claim.index,
    )


async def acknowledge(
    connection: Connection, index: int, reason: Mapping[str, str], clock: Callable[[], datetime]
) -> Claim:
    """Announce that the commitment at `index` is known to be wrong, and return it.

    Raises `NoCommitment`, and `NotAnnounced` for a reason that validation refuses.
    """
    entries = await read_checked(connection, index, 1)
    claim = next((said for said in said_among(index, entries) if isinstance(said, Claim)), None)
    if claim is None:
        raise NoCommitment(f"Entry {index}: {NoCommitment.__doc__}")
    event = event_of(claim, reason, clock())
    outbox_table.require_accepted(event)
    async with connection.transaction():
        await outbox_table.write(connection, [event])
        await add_to_trail(connection, trail_command(index))
    return claim
