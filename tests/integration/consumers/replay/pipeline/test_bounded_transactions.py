"""The costliest entries that the contract allows, on the real PostgreSQL: no transaction of a consumer takes longer
than two seconds, and what exceeds the contract's limits is listed as an anomaly."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import pytest
import structlog

from consumers.models.registry import CONSUMERS
from consumers.programme.projections.handlers.pending_events import FACTS_MAX, FACTS_OF_AGENCY_MAX
from consumers.replay.pipeline.pipeline import Host
from consumers.revenue.handlers.contracts import AMENDMENTS_MAX
from events.values.periods import next_period
from infra.postgres.connection import Connection, connect
from infra.settings import Settings
from tests.world.entries import TEXT, EventLog
from tests.world.logs import write_log
from tests.world.topics import make_topics
from tests.world.waits import running, until

TRANSACTION_S = 2.0
PATIENCE_S = 240.0
LOOK_EVERY_S = 0.02
RECORDED = "2006-01-01T00:00:00.000000Z"
BANDS = [{"up_to_halalas": None, "partner_bp": 7000}]
MONTHS = 400
"""Expected revenue of a contract: events.md §1 allows so many periods."""
MORE: Mapping[str, Mapping[str, Any]] = {
    "launched": {"channels": ["web"]},
    "suspended": {"reason": TEXT},
    "resumed": {},
}
SERVICES = 2
AGENCIES = 12
AMENDMENTS = 2_000
CONTRACTS = 300
CONFLICTS = 5_000


def labels() -> list[str]:
    found = ["1990-01"]
    while len(found) < MONTHS:
        found.append(next_period(found[-1]))
    return found


EXPECTED = [{"period": label, "amount_halalas": 1_000} for label in labels()]
TERMS: dict[str, Any] = {
    "starts_on": "1990-01-01",
    "ends_on": f"{labels()[-1]}-28",
    "calendar": "gregorian",
    "period": "month",
    "tier_basis": "contract-year",
    "bands": BANDS,
    "cap": None,
    "guarantee": {"partner_floor_bp_of_expected": 5000, "recoverable": True},
    "expected": EXPECTED,
}


def tell_waiting_facts(log: EventLog) -> None:
    """More than may wait for each of two services, and their registrations at the end."""
    for number in range(FACTS_OF_AGENCY_MAX + 1):
        verb = "launched" if number == 0 else "suspended" if number % 2 else "resumed"
        for agency, service in product(range(AGENCIES), range(SERVICES)):
            log.tell(f"agency-{agency}", f"service.{verb}", service_id=f"S{service}", on="2006-01-01", **MORE[verb])
    for service in range(SERVICES):
        log.tell("agency-0", "service.registered", service_id=f"S{service}", plan_id="P", group=1, name=TEXT)


def tell_contracts(log: EventLog) -> None:
    """Contracts with as many expected amounts as fit; the first is amended, earns in each month, and is closed."""
    agreed = {"partner": {"partner_id": "CO", "name": TEXT}, "services": ["S0"], "legal_basis": TEXT}
    for number in range(CONTRACTS):
        log.tell(
            "agency-0", "partnership.signed",
            partnership_id=f"C{number}", **agreed, signed_on="1989-12-01", terms=TERMS,
        )  # fmt: skip
    for number in range(AMENDMENTS):
        label = labels()[min(number, AMENDMENTS_MAX - 1) + 1]
        amendment = {"effective_from": label, "terms": TERMS, "reason": TEXT}
        log.tell("agency-0", "partnership.amended", partnership_id="C0", **amendment)
    for label, receipt in product(labels(), range(5)):
        collected = {"service_id": "S0", "amount_halalas": 1_000, "collected_on": f"{label}-15", "receipts": 1}
        log.tell("agency-0", "revenue.collected", partnership_id="C0", receipt_id=f"R{label}.{receipt}", **collected)
    for label in labels():
        log.tell("agency-0", "revenue.period-closed", partnership_id="C0", period=label)


def tell_conflicts(log: EventLog) -> None:
    problem = {"type": "urn:x", "title": TEXT, "errors": [{"code": "conflict", "pointer": "", "detail": TEXT}]}
    for number in range(CONFLICTS):
        log.tell("platform", "registrar.refused", address=f"agency.agency-1.events/0/{number}", problem=problem)


def history() -> list[bytes]:
    log = EventLog()
    log.at = RECORDED
    for tell in (tell_waiting_facts, tell_contracts, tell_conflicts):
        tell(log)
    return log.raw


async def longest_transaction(settings: Settings, stop: asyncio.Event) -> dict[str, float]:
    """The longest transaction of each consumer that is seen until `stop`, in seconds, by its connection's name."""
    connection = await connect(settings, "watcher")
    longest: dict[str, float] = {}
    select = (
        "SELECT application_name, extract(epoch FROM clock_timestamp() - xact_start)::float8 FROM pg_stat_activity "
        "WHERE datname = current_database() AND xact_start IS NOT NULL AND pid <> pg_backend_pid()"
    )
    try:
        while not stop.is_set():
            for name, seconds in await connection.fetch(select):
                longest[name] = max(longest.get(name, 0.0), seconds)
            await asyncio.sleep(LOOK_EVERY_S)
    finally:
        await connection.close()
    return longest


async def anomalies(connection: Connection, schema: str) -> dict[str, int]:
    rows: Sequence[Any] = await connection.fetch(f"SELECT rule, count(*) FROM {schema}.anomaly GROUP BY 1")
    return dict(map(tuple, rows))


@pytest.mark.alone
@pytest.mark.accept
@pytest.mark.timeout(300)
async def test_no_transaction_takes_longer_than_two_seconds_ever(settings: Settings, connection: Connection) -> None:
    await make_topics(settings)
    raw = history()
    await write_log(connection, raw)
    stop = asyncio.Event()
    watcher = asyncio.create_task(longest_transaction(settings, stop))

    async with running(Host(tuple(CONSUMERS.values()), settings)):
        applied = "SELECT count(*) = $2 FROM platform.position WHERE position = $1"
        await until(lambda: connection.fetchval(applied, len(raw), len(CONSUMERS)), "all are applied", PATIENCE_S)
    stop.set()
    longest = await watcher
    consumers = {name: round(longest[f"yesser {name}"], 3) for name in CONSUMERS}
    structlog.get_logger().info("the longest transactions, in seconds", **consumers)
    assert max(consumers.values()) < TRANSACTION_S, consumers

    beyond = SERVICES * (AGENCIES * (FACTS_OF_AGENCY_MAX + 1) - FACTS_MAX)
    assert (await anomalies(connection, "projections"))["exceeds-waiting"] == beyond
    assert (await anomalies(connection, "revenue"))["not-allowed-now"] == AMENDMENTS - AMENDMENTS_MAX
    assert await connection.fetchval("SELECT count(*) FROM revenue.statement") == MONTHS
    assert await connection.fetchval("SELECT count FROM projections.refusals WHERE agency = 'agency-1'") == CONFLICTS
    assert await connection.fetchval("SELECT count(*) FROM revenue.expected") == MONTHS * (CONTRACTS + AMENDMENTS_MAX)
