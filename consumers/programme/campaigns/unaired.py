"""The triggers of the moment `not-aired`: reads the rows, and asks the pure function for each.

Flows in: a connection whose `search_path` is the consumer's tables, and the time. Flows out: events for the outbox;
they enter the log later, so the caller leaves out those that it has published.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from copy import copy
from datetime import datetime, timedelta
from typing import Final

from consumers.programme.campaigns.handlers.not_aired import due_at, not_aired
from consumers.programme.campaigns.handlers.occurrences import Owners
from consumers.programme.campaigns.handlers.rules import trigger
from consumers.programme.campaigns.rows import AGENCY_NAME, COVERAGE, OFFICE, SLOT, Coverage
from consumers.programme.campaigns.rules.rule import NOT_AIRED, Rule, RuleSet
from consumers.programme.projections.handlers.services import SERVICE, Service
from events.wire.entry import recorded_time
from infra.log.reader import entries_recorded_by
from infra.postgres.connection import Connection
from infra.postgres.outbox import OutboxEvent
from infra.postgres.row_storage import load
from infra.postgres.sql import queries
from infra.postgres.unit_of_work import ALL, UnitOfWork

SERVICES_AT_ONCE: Final = 1_000
_SQL: Final = queries("consumers.programme.campaigns", "read.sql")


async def due_triggers(connection: Connection, rules: RuleSet, now: datetime) -> list[OutboxEvent]:
    """The `campaign.triggered` of each service, rule and channel that is due at `now` and not in the log."""
    events: list[OutboxEvent] = []
    if rules.about(NOT_AIRED):
        rows = await connection.fetch(_SQL["unaired"], _launched_by(rules, now))
        async for service, coverage, owners in _services(connection, [row["service_id"] for row in rows]):
            for rule, channel in _asked(rules):
                proposal = not_aired(rule, channel, service, coverage, coverage.campaign_ids, owners, now)
                if proposal is not None:
                    events.append(trigger(proposal, rules.version))
    return events


async def triggers_until(connection: Connection, rules: RuleSet, now: datetime) -> list[OutboxEvent]:
    """Those of every moment until `now`, in the log or not: an airing after the moment does not count.

    What else is known of a service is that of today: one that is suspended or retired has none.
    """
    events: list[OutboxEvent] = []
    if not rules.about(NOT_AIRED):
        return events
    sizes: dict[str, int] = {}
    aired = await connection.fetch(_SQL["first_airings"])
    first = {(row["service_id"], row["channel"]): row["first_index"] for row in aired}
    rows = await connection.fetch(_SQL["launched"], _launched_by(rules, now))
    async for service, coverage, owners in _services(connection, [row["service_id"] for row in rows]):
        for rule, channel in _asked(rules):
            due = due_at(rule, coverage)
            if due is None or due > recorded_time(now):
                continue
            if due not in sizes:
                sizes[due] = await entries_recorded_by(connection, datetime.fromisoformat(due))
            then, index = copy(coverage), first.get((service.service_id, channel))
            setattr(then, channel, int(index is not None and index < sizes[due]))
            proposal = not_aired(rule, channel, service, then, (), owners, now)
            if proposal is not None:
                events.append(trigger(proposal, rules.version))
    return events


def _asked(rules: RuleSet) -> Iterator[tuple[Rule, str]]:
    """The rules about it, with each of their channels."""
    return ((rule, channel) for rule in rules.about(NOT_AIRED) for channel in rule.channels)


def _launched_by(rules: RuleSet, now: datetime) -> str:
    """A recorded time: what was launched later is not due. A working day is at least a day."""
    return recorded_time(now - timedelta(days=min(rule.after_working_days for rule in rules.about(NOT_AIRED))))


async def _services(
    connection: Connection, service_ids: Sequence[str]
) -> AsyncIterator[tuple[Service, Coverage, Owners]]:
    """These services with their rows, and who can own a campaign."""
    for start in range(0, len(service_ids), SERVICES_AT_ONCE):
        ws, part = UnitOfWork(), service_ids[start : start + SERVICES_AT_ONCE]
        keys = [(table, (service_id,)) for table in (SERVICE, COVERAGE) for service_id in part]
        await load(connection, ws, [*keys, (OFFICE, (SLOT,)), (AGENCY_NAME, ALL)])
        office = ws.get(OFFICE, SLOT)
        owners = Owners(office.code if office else None, {row.code: row.name for row in ws.rows(AGENCY_NAME)})
        for service_id in part:
            service, coverage = ws.get(SERVICE, service_id), ws.get(COVERAGE, service_id)
            if service is not None and coverage is not None:
                yield service, coverage, owners
