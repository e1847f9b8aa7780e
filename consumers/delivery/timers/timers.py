"""The timers of campaigns: at midnight in Riyadh they put into the outbox what is due by the clock alone.

Flows in: the campaigns' rows, the log, the clock, the rules. Flows out: events `campaign.escalated`, and the triggers
of rules about `not-aired`, each once. Nothing is stored: what is due follows from the rows and the clock. An event's id
names its campaign, so that what was decided is found after a restart, a rebuild, a restore, or a change of the clock.
The rows decide only once they contain every entry that was recorded by midnight, and no further one can come: the
registrar's clock may be behind that of PostgreSQL, and its statement may take its time (`settling_time`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from time import monotonic
from typing import Final, TypeAlias

import structlog
from msgspec.structs import asdict

from consumers.delivery import delivery_lease
from consumers.delivery.sending.messages import database_now
from consumers.programme.campaigns.consumer import CONSUMER as CAMPAIGNS
from consumers.programme.campaigns.handlers.rules import campaign_event
from consumers.programme.campaigns.handlers.texts import fill
from consumers.programme.campaigns.rules.in_force import rules_in_force
from consumers.programme.campaigns.rules.rule import RuleSet, Text
from consumers.programme.campaigns.unaired import due_triggers
from consumers.registrar.guards.clocks import ClockCheck, ClocksDiffer
from consumers.replay.as_of.point_in_time import RIYADH, midnight
from events.errors import Retry
from events.validation.verdicts import HASH_BYTES, Agency
from events.values.bilingual import Bilingual, joined
from events.values.calendar import day_after
from events.wire.entry import recorded_time
from infra.clock import Clock, utc_now
from infra.log.reader import entries_recorded_by
from infra.observability.logs import LogOnce
from infra.postgres import outbox_table
from infra.postgres.connection import Connection
from infra.postgres.outbox import PLATFORM, OutboxEvent
from infra.postgres.sql import queries
from infra.process.leader_election import Term
from infra.process.tasks import pause
from infra.settings import Settings

LOOK_EVERY_S: Final = 1.0
CAMPAIGNS_MAX: Final = 500
"""Most campaigns read at once, and most events in one transaction."""

_CHANNELS: Final = {
    "tv": Bilingual("التلفزيون", "tv"),
    "radio": Bilingual("الإذاعة", "radio"),
    "print": Bilingual("الصحافة", "print"),
}
_NOT_ACKNOWLEDGED: Final = Bilingual(
    "انقضى الموعد {due_on} ولم تُستلم الحملة.",
    "The due date {due_on} has passed, and the campaign was not acknowledged.",
)
_NOT_AIRED: Final = Bilingual(
    "انقضى الموعد {due_on} ولم تُبث الحملة عبر: {channels}.",
    "The due date {due_on} has passed, and the campaign was not aired on: {channels}.",
)
_NEITHER: Final = Bilingual(
    "انقضى الموعد {due_on} ولم تُستلم الحملة، ولم تُبث عبر: {channels}.",
    "The due date {due_on} has passed, and the campaign was neither acknowledged nor aired on: {channels}.",
)
_SQL: Final = queries("consumers.delivery.timers", "timers.sql")
_PLATFORM: Final = Agency(PLATFORM, "platform")

DatabaseClock: TypeAlias = Callable[[Connection], Awaitable[datetime]]

log = structlog.get_logger()


def settling_time(settings: Settings) -> timedelta:
    """How long after midnight, by PostgreSQL's clock, an entry recorded before it may still be committed: the
    registrar's clock may be behind by the difference that is allowed, and its statement may take as long as it may."""
    return timedelta(seconds=settings.clock_difference_max_s, milliseconds=settings.statement_timeout_ms)


def settled_day(now: datetime, database: datetime, settling_time: timedelta) -> str:
    """The date in Riyadh by the clock that is behind, once the entries recorded before its midnight are committed."""
    return (min(now, database) - settling_time).astimezone(RIYADH).date().isoformat()


async def set_off(
    settings: Settings,
    term: Term,
    round_ended: Callable[[], None],
    clock: Clock = utc_now,
    database_clock: DatabaseClock = database_now,
) -> None:
    """A part of the delivery process: looks each second at what is due, until the term's `stop`."""
    async with term.connected(settings, "delivery timers") as connection:
        await connection.execute("SET search_path = campaigns")
        clocks = ClockCheck(clock, monotonic, settings.clock_difference_max_s)
        timers = Timers(connection, term.epoch, clocks, rules_in_force(), settling_time(settings), database_clock)
        waiting = LogOnce("timers are waiting", "timers go on")
        while not term.stop.is_set():
            try:
                await timers.look()
            except (NotCaughtUp, ClocksDiffer) as reason:
                waiting.begins(reason)
            else:
                waiting.ends()
            round_ended()
            await pause(term.stop, LOOK_EVERY_S)


class NotCaughtUp(Retry):
    """The campaigns' rows do not contain every entry that was recorded by midnight: nothing is decided on them."""


@dataclass(slots=True)
class Timers:
    """What is decided so far: the campaigns due before `_decided_before` whose triggers are in the first `_position`
    entries. It saves work; what was decided is known from the log and the outbox. The connection's `search_path` is the
    campaigns' schema."""

    connection: Connection
    epoch: int
    clocks: ClockCheck
    rules: RuleSet
    settling_time: timedelta
    database_clock: DatabaseClock = database_now
    _decided_before: str = ""
    _position: int = 0

    async def look(self) -> int:
        """Put what is due into the outbox; returns the number of events.

        Raises `NotCaughtUp`, and `ClocksDiffer` where this machine's clock and PostgreSQL's differ.
        """
        today, position = await self._today(), await self._rows_position()
        is_new_day = today != self._decided_before
        if is_new_day:
            await self._require_caught_up(position, today)
        written = 0
        if self._decided_before and position > self._position:
            late = await self.connection.fetch(_SQL["late"], self._position, today)
            written += await self._decide([row["campaign_id"] for row in late], today, position)
        after = ("", "")
        while is_new_day:
            due = await self.connection.fetch(_SQL["due"], self._decided_before, today, *after, CAMPAIGNS_MAX)
            written += await self._decide([row["campaign_id"] for row in due], today, position)
            if len(due) < CAMPAIGNS_MAX:
                break
            after = due[-1]["due_on"], due[-1]["campaign_id"]
        if is_new_day:
            triggers = await due_triggers(self.connection, self.rules, midnight(today))
            for start in range(0, len(triggers), CAMPAIGNS_MAX):
                written += await self._write(triggers[start : start + CAMPAIGNS_MAX], position)
        self._decided_before, self._position = today, position
        return written

    async def _today(self) -> str:
        """By the clock that is behind: the registrar's is compared with PostgreSQL's, and not with this machine's."""
        asked = self.clocks.clock()
        database = await self.database_clock(self.connection)
        self.clocks.require_database(asked, database)
        return settled_day(asked, database, self.settling_time)

    async def _rows_position(self) -> int:
        """The position of the campaigns' rows. What is read of them later is of this position or a later one."""
        position: int | None = await self.connection.fetchval(_SQL["position"], CAMPAIGNS.version.number)
        if position is None:
            raise NotCaughtUp("the campaigns have no rows of this release yet")
        return position

    async def _require_caught_up(self, position: int, today: str) -> None:
        size = await entries_recorded_by(self.connection, midnight(today))
        if position < size:
            raise NotCaughtUp(f"the campaigns' rows contain {position} of {size} entries recorded by midnight")

    async def _decide(self, campaign_ids: Sequence[str], today: str, position: int) -> int:
        """Put the escalations of these overdue campaigns into the outbox; returns their number."""
        if not campaign_ids:
            return 0
        rows = [Overdue(**row) for row in await self.connection.fetch(_SQL["overdue"], campaign_ids)]
        sizes = {
            due_on: await entries_recorded_by(self.connection, midnight(day_after(due_on)))
            for due_on in {row.due_on for row in rows}
        }
        found = [escalation(row, sizes[row.due_on], today) for row in rows]
        return await self._write([event for event in found if event is not None], position)

    async def _write(self, events: Sequence[OutboxEvent], position: int) -> int:
        """Write those that are neither in the log nor on their way to it. `position` is that of the rows.

        The clock decides after the last of their entries: rows that contain all that was recovered decide anew.
        """
        if not events:
            return 0
        ids = [event.id for event in events]
        claims = [sha256(_PLATFORM.claim_prefix + id.encode()).digest()[:HASH_BYTES] for id in ids]
        async with self.connection.transaction():
            await delivery_lease.hold(self.connection, self.epoch)
            known = {row["id"] for row in await self.connection.fetch(_SQL["known"], ids, claims)}
            new = [event for event in events if event.id not in known]
            await outbox_table.write(self.connection, new, position + 1)
        if new:
            log.info("what was due is in the outbox", events=len(new))
        return len(new)


@dataclass(frozen=True, slots=True)
class Overdue:
    """A campaign in the log whose due date has passed. `aired` gives the first airing's index of each channel that has
    one; `suspended_from` is the recorded date in Riyadh since which its service is suspended."""

    campaign_id: str
    rule: str
    rules_version: int
    cause_index: int
    kind: str
    owner: str
    service_id: str | None
    channels: list[str]
    due_on: str
    brief: Text
    acknowledged_index: int | None
    completed_index: int | None
    suspended_from: str | None
    aired: Mapping[str, int]
    urgency: str = "normal"


def escalation(campaign: Overdue, size: int, today: str) -> OutboxEvent | None:
    """The campaign's escalation, or None where it has none. `size` entries were recorded by the midnight.

    Where its service was resumed meanwhile, the due date has moved, and that midnight is still to come.
    """

    def was_in_time(index: int | None) -> bool:
        return index is not None and index < size

    is_paused = campaign.suspended_from is not None and campaign.suspended_from <= campaign.due_on
    if campaign.due_on >= today or is_paused or was_in_time(campaign.completed_index):
        return None
    acknowledged = was_in_time(campaign.acknowledged_index)
    not_aired = [channel for channel in campaign.channels if not was_in_time(campaign.aired.get(channel))]
    if acknowledged and not not_aired:
        return None
    reason = _reason(campaign.due_on, not_aired, acknowledged=acknowledged)
    time = recorded_time(midnight(day_after(campaign.due_on)))
    return campaign_event("escalated", campaign, time, campaign.cause_index, reason)


def _reason(due_on: str, not_aired: list[str], *, acknowledged: bool) -> Text:
    template = _NOT_AIRED if acknowledged else _NEITHER if not_aired else _NOT_ACKNOWLEDGED
    channels = joined(_CHANNELS[channel] for channel in not_aired)
    return fill(asdict(template), {"due_on": due_on, "channels": asdict(channels)})
