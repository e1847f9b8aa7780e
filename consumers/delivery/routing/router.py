"""The router: a part of the delivery process that turns entries about campaigns into messages.

Flows in: the campaigns' entries in log order, from its own position; subscriptions. Flows out: messages, in the
transaction that moves the position: a restart, a rebuild or a replay adds nothing twice and leaves nothing out. Past
entries for a new subscription come after all others, at a limited rate, marked as replays.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from functools import partial
from typing import Any, Final

import structlog
from asyncpg import Record

from consumers.delivery import delivery_lease
from consumers.delivery.routing.matching import CampaignEntry, NewMessage, Subscription, new_messages
from infra.keys.team_seals import TeamSeals
from infra.postgres.connection import Connection
from infra.postgres.sql import queries
from infra.process.leader_election import Term
from infra.process.tasks import pause
from infra.settings import Settings

ENTRIES_MAX: Final = 500
"""Most entries of a round."""
CHANNEL: Final = "yesser_campaigns"
"""New entries about campaigns are announced on it."""

_TABLE: Final = "delivery.subscription"
log = structlog.get_logger()
_SQL: Final = queries("consumers.delivery.routing", "routing.sql")


async def route(settings: Settings, term: Term, round_ended: Callable[[], None]) -> None:
    """Route what is new, until the term ends."""
    async with term.connected(settings, "router") as connection:
        woken = asyncio.Event()
        await connection.add_listener(CHANNEL, lambda *_: woken.set())
        allowance = Allowance(settings.webhook_backfill_per_s, time.monotonic)
        router = Router(connection, term.epoch, allowance, partial(TeamSeals.of, settings))
        while not term.stop.is_set():
            woken.clear()
            more = await router.round()
            round_ended()
            if not more:
                await pause(woken, settings.lease_renew_ms / 1000)


class Allowance:
    """So many a second, of which one second's are allowed at once."""

    def __init__(self, per_s: float, clock: Callable[[], float]) -> None:
        self._per_s = per_s
        self._clock = clock
        self._left = per_s
        self._at = clock()

    def left(self) -> int:
        now = self._clock()
        self._left = min(self._per_s, self._left + (now - self._at) * self._per_s)
        self._at = now
        return int(self._left)

    def use(self, number: int) -> None:
        self._left -= number


class Router:
    """The router of one term."""

    def __init__(self, connection: Connection, epoch: int, backfill: Allowance, seals: Callable[[], TeamSeals]) -> None:
        self._connection = connection
        self._epoch = epoch
        self._backfill = backfill
        self._subscriptions = Subscriptions(seals)
        self._are_campaigns_there = False

    async def round(self) -> bool:
        """Route the next entries. Whether there may be more."""
        async with self._connection.transaction():
            await delivery_lease.hold(self._connection, self._epoch)
            entries = await self._route_next()
        return len(entries) == ENTRIES_MAX or (not entries and await self._backfill_next())

    async def _route_next(self) -> Sequence[CampaignEntry]:
        position: int = await self._connection.fetchval(_SQL["position"])
        entries = await self._entries(position, None, None, ENTRIES_MAX)
        if entries:
            subscriptions = await self._subscriptions.read(self._connection)
            await add_messages(self._connection, new_messages(entries, subscriptions))
            await self._connection.execute(_SQL["move"], entries[-1].index + 1)
        return entries

    async def _backfill_next(self) -> bool:
        """Route past entries of the subscription that is furthest behind. Whether there may be more at once."""
        limit = self._backfill.left()
        if limit < 1:
            return False
        async with self._connection.transaction():
            await delivery_lease.hold(self._connection, self._epoch)
            rows = await self._connection.fetch(_SQL["backfills"])
            subscriptions = await self._subscriptions.read(self._connection) if rows else []
            known = {each.subscription_id: each for each in subscriptions}
            row = next((row for row in rows if row["subscription_id"] in known), None)
            if row is None:
                return False
            subscription = known[row["subscription_id"]]
            end: int = row["backfill_to"]
            entries = await self._entries(row["backfill_next"], end, subscription.agency, limit)
            await add_messages(self._connection, new_messages(entries, [subscription], replay=True))
            next_index = entries[-1].index + 1 if len(entries) == limit else end
            await self._connection.execute(_SQL["move_backfill"], subscription.subscription_id, next_index)
        self._backfill.use(len(entries))
        return True

    async def _entries(self, first: int, end: int | None, owner: str | None, limit: int) -> list[CampaignEntry]:
        if not self._are_campaigns_there:
            self._are_campaigns_there = await self._connection.fetchval(_SQL["are_campaigns_there"])
        if not self._are_campaigns_there:
            return []
        return [CampaignEntry(*row) for row in await self._connection.fetch(_SQL["entries"], first, end, owner, limit)]


class Subscriptions:
    """Reads the subscriptions that have their seals: nothing is sent by a row that was changed in the database."""

    def __init__(self, seals: Callable[[], TeamSeals]) -> None:
        self._seals = seals
        self._sealed: dict[int, Record] = {}
        """The rows whose seals were found right, by id."""
        self._named: set[int] = set()
        """Those whose wrong seal was logged."""

    async def read(self, connection: Connection) -> list[Subscription]:
        """Those that have not ended, by id."""
        rows = await connection.fetch(_SQL["subscriptions"])
        unknown = [row for row in rows if self._sealed.get(row["subscription_id"]) != row]
        if unknown:
            seals = self._seals()
            self._sealed |= {row["subscription_id"]: row for row in unknown if seals.is_sealed(_TABLE, row)}
        wrong = {row["subscription_id"] for row in unknown if self._sealed.get(row["subscription_id"]) != row}
        for subscription_id in sorted(wrong - self._named):
            log.error(
                "a subscription's row was changed in the database: nothing is sent by it (yesser teams seal)",
                subscription_id=subscription_id,
            )
        self._named = wrong
        return [Subscription(*row[: len(fields(Subscription))]) for row in rows if row["subscription_id"] not in wrong]


async def add_messages(connection: Connection, messages: Iterable[NewMessage]) -> None:
    """Write messages that are not there yet, in the caller's transaction, which wakes their senders."""
    columns = [*map(_columns, messages)]
    if columns:
        await connection.execute(_SQL["add"], *zip(*columns, strict=True))


def _columns(message: NewMessage) -> tuple[Any, ...]:
    subscription = message.subscription
    return (
        subscription.subscription_id,
        subscription.route,
        subscription.agency,
        subscription.team,
        subscription.endpoint_id,
        message.kind,
        message.event_id,
        message.log_index,
        message.campaign_id,
        message.lane,
        message.replay,
        "cancelled" if subscription.is_disabled else "waiting",
    )
