"""The waiting e-mails: claimed one at a time, and what became of each attempt. All writes are under the lease's epoch.

An attempt is counted in a transaction before it and recorded in one after it. Where the second is missing, the
process ended in between, and the outcome is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from consumers.delivery.delivery_lease import hold
from consumers.delivery.mail.smtp import Outcome
from infra.postgres.connection import Connection
from infra.postgres.sql import queries
from infra.process.backoff import backoff_s

CLAIM: Final = timedelta(minutes=10)
"""A claimed message is not claimed again for this long. Longer than any attempt takes."""
WAIT_MIN_S: Final = 60.0
WAIT_MAX_S: Final = 3_600.0
WAIT_MAX: Final = timedelta(seconds=WAIT_MAX_S)
VALID: Final = timedelta(days=5)
"""A message that could not be delivered for this long fails: by then the inbox or the digest has told it."""
ASKS: Final = "confirm-address"
"""The kind of a letter that asks the reader of an address to confirm it."""
UNKNOWN_MAX: Final = 3
"""So many attempts with an unknown outcome may each have delivered a copy; then the message fails."""

State = Literal["waiting", "delivered", "failed", "cancelled"]

_SQL: Final = queries("consumers.delivery.mail", "queue.sql")


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message to be sent now. `attempts` counts this one; `unknown` of the earlier ones had an unknown outcome."""

    message_id: int
    subscription_id: int | None
    agency: str
    team: str
    endpoint_id: str | None
    kind: str
    event_id: str
    log_index: int | None
    campaign_id: str | None
    replay: bool
    attempts: int
    created_at: datetime
    unknown: int
    is_told: bool
    """Whether the team got the same for another subscription."""

    @property
    def unknown_max(self) -> int:
        """A stranger gets no second copy."""
        return 1 if self.kind == ASKS else UNKNOWN_MAX


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows an attempt: the state, and while it waits, for how long. `error` is None where it was delivered."""

    state: State
    error: str | None = None
    wait_s: float = 0.0


def verdict(claimed: Claimed, outcome: Outcome, now: datetime, chance: float) -> Verdict:
    """`chance` is in [0, 1) and spreads the waits."""
    if outcome.result == "accepted":
        return Verdict("delivered")
    if outcome.result == "refused":
        return Verdict("failed", "refused")
    if outcome.result == "unknown" and claimed.unknown + 1 >= claimed.unknown_max:
        return Verdict("failed", "unknown")
    if outcome.result == "no-server":  # of no message: the sender waits before it asks again
        return Verdict("waiting", outcome.result)
    if now - claimed.created_at >= VALID:
        return Verdict("failed", outcome.result)
    return Verdict("waiting", outcome.result, backoff_s(claimed.attempts, chance, WAIT_MIN_S, WAIT_MAX_S))


async def give_back(connection: Connection, epoch: int, now: datetime) -> None:
    """At the beginning of a term: what an earlier process had claimed is due at once. Raises `Fenced`."""
    async with connection.transaction():
        await hold(connection, epoch)
        await connection.execute(_SQL["give_back"], now)


async def claim(connection: Connection, epoch: int, now: datetime) -> Claimed | None:
    """The next message, its attempt counted; None if none is due. Raises `Fenced`."""
    async with connection.transaction():
        await hold(connection, epoch)
        row = await connection.fetchrow(_SQL["claim"], now, CLAIM, max(CLAIM, WAIT_MAX))
        if row is None:
            return None
        known = await connection.fetchval(_SQL["known_attempts"], row["message_id"])
        is_told = await connection.fetchval(
            _SQL["given_to_team"],
            *(row[name] for name in ("agency", "team", "kind", "event_id", "replay", "message_id")),
        )
    return Claimed(**dict(row), unknown=row["attempts"] - 1 - known, is_told=is_told)


async def record(
    connection: Connection,
    epoch: int,
    claimed: Claimed,
    outcome: Outcome,
    found: Verdict,
    now: datetime,
    latency_ms: int,
) -> None:
    """The attempt and what follows it, in one transaction. Raises `Fenced`."""
    async with connection.transaction():
        await hold(connection, epoch)
        await connection.execute(
            _SQL["attempted"],
            claimed.message_id,
            claimed.attempts,
            now,
            outcome.status,
            latency_ms,
            found.error,
            outcome.answer.encode(),
        )
        if found.state == "waiting":
            due = now + timedelta(seconds=found.wait_s)
            await connection.execute(_SQL["postponed"], claimed.message_id, due)
        else:
            await connection.execute(_SQL["ended"], claimed.message_id, found.state, now)


async def end(connection: Connection, epoch: int, claimed: Claimed, state: State, reason: str, now: datetime) -> None:
    """A message that is not sent at all, with the reason as an attempt's error. Raises `Fenced`."""
    await record(connection, epoch, claimed, Outcome("refused"), Verdict(state, reason), now, 0)
