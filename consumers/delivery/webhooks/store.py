"""What the sender reads and writes in the database, for many messages at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import structlog
from nacl.public import PrivateKey

from consumers.delivery.secrets import CannotUnseal, unseal
from consumers.delivery.webhooks.active import Active, Attempt, Health, Message
from consumers.delivery.webhooks.schedule import Policy, Reason
from infra.keys.team_seals import TeamSeals
from infra.postgres.connection import Connection
from infra.postgres.sql import queries
from infra.postgres.trail import Actor, add_to_trail

_SQL: Final = queries("consumers.delivery.webhooks", "webhooks.sql")

log = structlog.get_logger()


async def read_endpoints(
    connection: Connection,
    load: Callable[[], tuple[Sequence[PrivateKey], TeamSeals]],
    endpoint_ids: Collection[str],
    health: Mapping[str, Health],
) -> list[Active]:
    """These endpoints with their unsealed secrets, as far as they exist."""
    rows = await connection.fetch(_SQL["endpoints"], list(endpoint_ids))
    keys, seals = load()  # after the rows: a rotation writes its key before it seals a row for it
    return [
        Active(
            endpoint_id=row["endpoint_id"],
            agency=row["agency"],
            team=row["team"],
            url=row["url"],
            secrets=_unsealed(keys, row) if _is_sealed(seals, row) else None,
            failing_since=row["failing_since"],
            disabled_reason=row["disabled_reason"],
            health=health.get(row["endpoint_id"]) or Health(),
        )
        for row in rows
    ]


async def read_due(
    connection: Connection, wanted: Mapping[str, int], in_hand: Collection[int], policy: Policy
) -> tuple[datetime, list[Message]]:
    """The messages whose turn it is, at most as many of each endpoint as wanted, and the database's time before."""
    read_at: datetime = await connection.fetchval(_SQL["now"])
    rows = await connection.fetch(_SQL["due"], list(wanted), list(wanted.values()), list(in_hand), policy.lane_wait)
    return read_at, [Message(*row) for row in rows]


async def record(connection: Connection, attempts: Sequence[Attempt]) -> None:
    """Write attempts and what follows for their messages, in the caller's transaction."""
    if not attempts:
        return
    ids = [attempt.message.message_id for attempt in attempts]
    numbers = [attempt.message.attempts + 1 for attempt in attempts]
    await connection.execute(
        _SQL["attempted"],
        ids,
        numbers,
        [attempt.at for attempt in attempts],
        [attempt.outcome.status for attempt in attempts],
        [attempt.outcome.latency_ms for attempt in attempts],
        [attempt.outcome.error for attempt in attempts],
        [attempt.outcome.answer for attempt in attempts],
    )
    await connection.execute(
        _SQL["recorded"],
        ids,
        [attempt.verdict.state for attempt in attempts],
        numbers,
        [attempt.late for attempt in attempts],
        [attempt.verdict.wait_s for attempt in attempts],
    )


async def mark_failing(connection: Connection, since: Mapping[str, datetime | None]) -> None:
    """Since when these endpoints fail, or None where they work again."""
    if since:
        await connection.execute(_SQL["failing"], list(since), list(since.values()))


async def disable(connection: Connection, endpoint_id: str, reason: Reason) -> None:
    """Send nothing more to an endpoint, and have its team told by e-mail. In the caller's transaction."""
    row = await connection.fetchrow(_SQL["disable"], endpoint_id, reason)
    if row is None:
        return
    event_id = f"{endpoint_id}.d{row['disabled_at']:%Y%m%d%H%M%S}"
    await connection.execute(_SQL["tell_owner"], row["agency"], row["team"], endpoint_id, event_id)
    await add_to_trail(connection, "webhooks disable", endpoint_id, reason, by=Actor())
    log.warning("a webhook is disabled", endpoint_id=endpoint_id, reason=reason)


async def cancel_waiting(connection: Connection, endpoint_ids: Collection[str]) -> None:
    """What waits for disabled endpoints is not sent. It can be redelivered."""
    if endpoint_ids:
        await connection.execute(_SQL["cancel_waiting"], list(endpoint_ids))


async def next_due(connection: Connection, read: Iterable[tuple[str, datetime]], policy: Policy) -> dict[str, float]:
    """The seconds until something of an endpoint becomes due that was not when it was last read."""
    read = list(read)
    if not read:
        return {}
    endpoint_ids, times = zip(*read, strict=True)
    rows = await connection.fetch(_SQL["next_due"], endpoint_ids, times, policy.lane_wait)
    return {row["endpoint_id"]: max(0.0, row["wait_s"]) for row in rows}


def _is_sealed(seals: TeamSeals, row: Any) -> bool:
    if seals.is_sealed("delivery.endpoint", row):
        return True
    log.error(
        "a webhook's row was changed in the database: nothing is sent by it (yesser teams seal)",
        endpoint_id=row["endpoint_id"],
    )
    return False


def _unsealed(keys: Sequence[PrivateKey], row: Any) -> list[str] | None:
    """The active secrets of an endpoint; None where one cannot be unsealed, or it has none."""
    try:
        found = [
            unseal(keys, row["endpoint_id"], secret_id, sealed)
            for secret_id, sealed in zip(row["secret_ids"], row["sealed"], strict=True)
        ]
    except CannotUnseal as error:
        log.error("a webhook cannot be signed", endpoint_id=row["endpoint_id"], reason=str(error))
        return None
    return found or None
