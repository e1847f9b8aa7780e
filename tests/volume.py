"""Fills tables with any number of rows, and lists the pages that must not take longer for it.

The rows are those of the worst senders: all about one thing, and what is asked for is elsewhere than its share of the
rows suggests. They follow from no log.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from consumers.delivery.teams.endpoints import attempts_of, webhooks_of
from consumers.explain.database import indexes_in
from consumers.explain.figures import Scope
from consumers.programme.projections.read import AnomalyFilter, anomalies, anomalies_count
from consumers.replay.event_index.read import Query, as_full_type, find
from consumers.revenue import read as revenue
from infra.postgres.connection import Connection
from infra.postgres.sql import queries

CAMPAIGNS: Final = queries("consumers.programme.campaigns", "read.sql")
LEDGER_SQL: Final = queries("consumers.revenue", "read.sql")
OPERATIONS: Final = queries("consumers.console.pages.operations", "operations.sql")
PAGE: Final = 101
OF_A_PERIOD: Final = 1_000
ANOMALIES: Final = """
INSERT INTO {schema}.anomaly
SELECT n, n, CASE WHEN n % 1000 = 0 THEN 'already-collected' ELSE 'not-owner' END, 'some.type', {subject},
    CASE WHEN n % 2 = 0 AND n < {rows} / 2 OR n > {rows} - 5 THEN 'owner' ELSE 'stranger' END,
    '{{"a": 1}}', '{{"b": 2}}'
FROM generate_series(1, {rows}) AS n;
INSERT INTO {schema}.anomaly_count VALUES (1, {rows}, 1, {rows});
ANALYZE {schema}.anomaly
"""
SUBJECTS: Final = {
    "projections": "'service/s' || n % 5000",
    "campaigns": "'campaign/C'",
    "revenue": "'partnership/P'",
}
LEDGER: Final = """
INSERT INTO revenue.receipt
SELECT 'P', 'r' || n, 'S', 100, '2005-01-01', 1, 'm' || n / {of_a_period}, 0, 0, n, 0, 100, 0, n, n
FROM generate_series(1, {rows}) AS n;
INSERT INTO revenue.payout SELECT 'P', 'o' || n, 5, '2005-01-01', {rows} + n FROM generate_series(1, 20) AS n;
INSERT INTO revenue.period
SELECT 'P', 'm' || n, 0, 0, 0, 0, 0, n * {of_a_period}, (n + 1) * {of_a_period} - 1, NULL, NULL
FROM generate_series(0, {rows} / {of_a_period}) AS n;
INSERT INTO revenue.reversal
SELECT 'P', 'v' || n, 'r' || n, 10, '2005-01-02', 'm' || n / {of_a_period}, 0, 0, n, 6, 4, {rows} + 100 + n
FROM generate_series(1, {rows}, 20) AS n;
ANALYZE revenue.receipt; ANALYZE revenue.payout; ANALYZE revenue.reversal
"""
DELIVERY: Final = """
INSERT INTO delivery.team (agency, team, name) VALUES ('a', 't', '{{}}');
INSERT INTO delivery.endpoint (endpoint_id, agency, team, url)
VALUES ('ep_busy', 'a', 't', 'https://a'), ('ep_idle', 'a', 't', 'https://b');
INSERT INTO delivery.message (route, agency, team, endpoint_id, kind, event_id, lane, state, created_at)
SELECT 'webhook', 'a', 't', CASE WHEN n > {rows} / 2 THEN 'ep_idle' ELSE 'ep_busy' END, 'triggered', 'e' || n, 'l',
    CASE WHEN n % 3 = 0 THEN 'failed' ELSE 'delivered' END, now() - n * interval '1 second'
FROM generate_series(1, {rows}) AS n;
INSERT INTO delivery.message (route, agency, team, kind, event_id, lane, state)
SELECT 'email', 'a', 't', 'digest', 'e' || n, 'l', 'waiting' FROM generate_series(1, 5) AS n;
INSERT INTO delivery.attempt (message_id, number, at, status, latency_ms, endpoint_id)
SELECT message_id, 1, created_at, 503, 20, endpoint_id FROM delivery.message WHERE route = 'webhook';
ANALYZE delivery.message; ANALYZE delivery.attempt
"""
ROUTE: Final = """
INSERT INTO campaigns.route
SELECT n, CASE WHEN n < {rows} / 2 THEN 'D' ELSE 'D' || n % 1000 END,
    'campaign.triggered', 'o', NULL FROM generate_series(1, {rows}) AS n;
ANALYZE campaigns.route
"""

AGENCIES: Final = 300
ENTRIES: Final = """
INSERT INTO platform.agency (code, role, name, registered_index)
SELECT 'a' || n, 'agency', '{{}}', n FROM generate_series(0, {agencies} - 1) AS n;
INSERT INTO event_index.event
SELECT n, 'e' || n, 'sa.gov.yesser.' || CASE WHEN n % 9973 = 0 THEN 'registrar.refused.v1'
        WHEN n % 2 = 0 THEN 'revenue.collected.v1' ELSE 'some.type' || n % 61 || '.v1' END,
    CASE WHEN n % 9973 = 0 THEN 'refusal/agency.a' || n / 9973 % 7 || '.events/0/o' || n
        WHEN n % 3 = 0 THEN 'partnership/P' ELSE 'trainee/t' || n END,
    CASE WHEN n % 9973 = 0 THEN 'platform' WHEN n % 100003 = 0 THEN 'a1' ELSE 'a' || n * 7 % {agencies} END,
    '2026-01-01T00:00:00Z'
FROM generate_series(0, {rows} - 1) AS n;
INSERT INTO log.event_id
SELECT substr(sha256(
    convert_to('urn:yesser:agency:' || agency, 'UTF8') || '\\x00'::bytea || convert_to(id, 'UTF8')
), 1, 16), '', index FROM event_index.event WHERE index % 100 = 1;
ANALYZE event_index.event; ANALYZE log.event_id
"""


@dataclass(frozen=True, slots=True)
class Page:
    """`schema` is that of the tables that `read` reads."""

    name: str
    schema: str
    read: Callable[[Connection], Awaitable[Any]]


def pages(rows: int) -> list[Page]:
    """The pages over tables with so many rows; they begin where nearly all rows are before, or after, them."""
    late = (rows // 2, rows // 2)
    owners = AnomalyFilter("owner", after=late, rows_max=PAGE)
    own = ["partnership/P", "partnership/Q"]
    about = AnomalyFilter(subjects=own, without_rules=revenue.STRANGERS_RULES, rows_max=PAGE)
    period = f"m{rows // OF_A_PERIOD // 2}"
    return [
        Page("anomalies", "projections", lambda c: anomalies(c, AnomalyFilter(after=late, rows_max=PAGE))),
        Page(
            "anomalies of an agency",
            "projections",
            lambda c: anomalies(c, owners),
        ),
        Page("anomalies for a partner", "revenue", lambda c: anomalies(c, about)),
        Page("the number of anomalies", "revenue", anomalies_count),
        Page("entries of strangers", "revenue", lambda c: revenue.strangers(c, range(1, PAGE))),
        Page(
            "anomalies of a campaign",
            "campaigns",
            lambda c: c.fetch(CAMPAIGNS["anomalies_of"], "campaign/C", PAGE),
        ),
        Page("history of a campaign", "campaigns", lambda c: c.fetch(CAMPAIGNS["took_effect"], "D", PAGE)),
        Page("transfers", "revenue", lambda c: revenue.transfers(c, "P", late, PAGE)),
        Page("transfers of an account", "revenue", lambda c: revenue.transfers(c, "P", (-1, -1), PAGE, "cash")),
        Page(
            "transfers to a partner", "revenue", lambda c: revenue.transfers(c, "P", (-1, -1), PAGE, "partner-payable")
        ),
        Page("postings of a period", "revenue", lambda c: c.fetch(LEDGER_SQL["postings"], "P", period)),
        *(
            Page(name, "event_index", partial(_found, replace(query, rows_max=PAGE)))
            for name, query in entries_of(rows).items()
        ),
        Page("entries behind a figure", "event_index", lambda c: indexes_in(c, RECEIPTS, -1, rows, PAGE)),
        Page("webhooks", "public", lambda c: webhooks_of(c, "a")),
        Page("attempts of an idle webhook", "public", lambda c: attempts_of(c, None, "ep_idle", None, PAGE)),
        Page("attempts of a busy webhook", "public", lambda c: attempts_of(c, None, "ep_busy", None, PAGE)),
        Page("what waits", "public", lambda c: c.fetch(OPERATIONS["deliveries"])),
    ]


RECEIPTS: Final = Scope(types=frozenset({"revenue.collected", "revenue.reversed"}))


def entries_of(rows: int) -> dict[str, Query]:
    """What is asked of the log, each with its condition; rows of the last third are before the cursor."""
    late = rows // 3 * 2
    common, rare = as_full_type("revenue.collected"), as_full_type("some.type3")
    return {
        "entries": Query(newest_first=True, after_index=late),
        "entries of a common type": Query(type=common, newest_first=True, after_index=late),
        "entries of a rare type": Query(type=rare),
        "entries of an agency": Query(agency="a1", newest_first=True, after_index=late),
        "entries of a type and an agency": Query(type=common, agency="a14", after_index=late),
        "entries of a type that nobody sent": Query(type=as_full_type("plan.adopted")),
        "entries about a partnership": Query("partnership/P", newest_first=True, after_index=late),
        "entries about a trainee": Query(f"trainee/t{late + 1}"),
        "entries for a partner": Query(subjects=["partnership/P", "partnership/Q"], after_index=late),
        "the entry with an id": Query(id=f"e{late // 100 * 100 + 1}"),
        "an id that nobody used": Query(id="none"),
        "refusals of an agency": Query(refusals_of="a3", newest_first=True),
    }


async def _found(query: Query, connection: Connection) -> Any:
    return await find(connection, query)


async def fill(connection: Connection, rows: int) -> None:
    """So many rows in each table, in a database without any. As a superuser."""
    await connection.execute("SET session_replication_role = replica")  # no trigger looks at each row
    for schema, subject in SUBJECTS.items():
        await connection.execute(ANOMALIES.format(schema=schema, subject=subject, rows=rows))
    for sql in (LEDGER, ROUTE, DELIVERY, ENTRIES):
        await connection.execute(sql.format(rows=rows, of_a_period=OF_A_PERIOD, agencies=AGENCIES))
    await connection.execute("SET session_replication_role = origin")
