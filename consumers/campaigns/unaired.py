"""The triggers of the moment `not-aired` that are due: reads the rows, and asks the pure function for each.

Flows in: a connection whose `search_path` is the consumer's tables, and the time. Flows out: events for the outbox;
they enter the log later, so the caller leaves out those that it has published.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from consumers.campaigns.handlers.not_aired import not_aired
from consumers.campaigns.handlers.occurrences import Owners
from consumers.campaigns.handlers.rules import trigger
from consumers.campaigns.rows import AGENCY_NAME, COVERAGE, OFFICE, SLOT
from consumers.campaigns.rules.rule import NOT_AIRED, RuleSet
from consumers.projections.handlers.services import SERVICE
from events.wire.entry import recorded_time
from infra.postgres.connection import Connection
from infra.postgres.outbox import OutboxEvent
from infra.postgres.row_storage import load
from infra.postgres.sql import queries
from infra.postgres.unit_of_work import ALL, UnitOfWork

SERVICES_AT_ONCE: Final = 1_000
_SQL: Final = queries("consumers.campaigns", "read.sql")


async def due_triggers(connection: Connection, rules: RuleSet, now: datetime) -> list[OutboxEvent]:
    """The `campaign.triggered` of each service, rule and channel that is due at `now` and not in the log."""
    about = rules.about(NOT_AIRED)
    if not about:
        return []
    # A working day is at least a day.
    days = min(rule.after_working_days for rule in about)
    found = await connection.fetch(_SQL["unaired"], recorded_time(now - timedelta(days=days)))
    ids = (row["service_id"] for row in found)
    events: list[OutboxEvent] = []
    while part := list(islice(ids, SERVICES_AT_ONCE)):
        ws = UnitOfWork()
        keys = [(table, (service_id,)) for table in (SERVICE, COVERAGE) for service_id in part]
        await load(connection, ws, [*keys, (OFFICE, (SLOT,)), (AGENCY_NAME, ALL)])
        events += _due(ws, part, rules, now)
    return events


def _due(ws: UnitOfWork, service_ids: list[str], rules: RuleSet, now: datetime) -> Iterator[OutboxEvent]:
    office = ws.get(OFFICE, SLOT)
    owners = Owners(office.code if office else None, {row.code: row.name for row in ws.rows(AGENCY_NAME)})
    for service_id in service_ids:
        service, coverage = ws.get(SERVICE, service_id), ws.get(COVERAGE, service_id)
        if service is None or coverage is None:
            continue
        for rule in rules.about(NOT_AIRED):
            for channel in rule.channels:
                proposal = not_aired(rule, channel, service, coverage, coverage.campaign_ids, owners, now)
                if proposal is not None:
                    yield trigger(proposal, rules.version)
