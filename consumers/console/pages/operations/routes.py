"""`/operations`: what runs and what has stopped; `/operations/trail`: who did what; `/operations/accounts`."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from fastapi.responses import Response

from consumers.api.parameters import INTEGER_MAX
from consumers.console.accounts.accounts import list_accounts
from consumers.console.navigation import roles_of
from consumers.console.page_request import Visiting, only
from consumers.console.pages.operations.runbook import runbook_entry
from consumers.documents.document import documents_of
from consumers.documents.teams.accounts import ACCOUNTS
from consumers.documents.teams.trail import TRAIL, TrailRow
from consumers.documents.teams.webhooks import Webhook
from infra.embedded.status import ProcessStatus, read_answers, stack_status
from infra.embedded.status_table import STATES_AR
from infra.http.problems import Problem
from infra.postgres.connection import TRANSIENT_ERRORS, Connection
from infra.postgres.sql import queries
from infra.process.lease import holders
from infra.settings import Settings

routes = APIRouter(dependencies=[only(roles_of("/operations"))])
TRAIL_ROWS: Final = 50
Before = Annotated[int | None, Query(ge=1, le=INTEGER_MAX)]
Operator = Annotated[str, Query(max_length=200, pattern=r"^[^\x00]*$")]
MINUTES: Final = 15
"""The throughput of this many minutes is shown."""
REFUSALS_MAX: Final = 10_000
_CHECKPOINTS_MAX: Final = MINUTES * 60 + 1
"""One is signed each second at most."""
_LISTS: Final = ("consumers", "topics", "deliveries")
_SQL: Final = queries("consumers.console.pages.operations", "operations.sql")

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Halt:
    """Something that stays stopped until somebody acts. `kind`: registrar, topic or consumer; `name`: which."""

    kind: str
    name: str
    reason: str
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Operations:
    """One reading of the tables at `at`."""

    at: datetime
    log: Row
    consumers: Sequence[Row]
    leases: Sequence[Row]
    minutes: Sequence[tuple[datetime, int]]
    """Entries signed in each of the last minutes, oldest first."""
    topics: Sequence[Row]
    refusals: Sequence[Row]
    deliveries: Sequence[Row]
    endpoints: Sequence[Webhook]

    def halts(self, processes: Iterable[ProcessStatus]) -> list[Halt]:
        """Everything that is halted, by the tables and by what the processes say."""
        topics = [row for row in self.topics if row["halted_reason"]]
        found = [Halt("topic", row["code"], row["halted_reason"], row["halted_at"]) for row in topics]
        consumers = [row for row in self.consumers if row["halted_reason"]]
        found += [Halt("consumer", row["consumer"], row["halted_reason"]) for row in consumers]
        known = {halt.reason for halt in found}
        for process in processes:
            if process.halted and process.halted not in known:
                kind = "registrar" if process.name.startswith("registrar") else "process"
                found.append(Halt(kind, process.name, process.halted))
        return found


async def read_operations(connection: Connection, now: datetime, settings: Settings) -> Operations:
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        log = await connection.fetchrow(_SQL["log"])
        assert log is not None
        rows = {name: await connection.fetch(_SQL[name]) for name in _LISTS}
        endpoints = documents_of(Webhook, await connection.fetch(_SQL["endpoints"]))
        leases = await holders(connection, settings)
        growth = await connection.fetch(_SQL["growth"], _CHECKPOINTS_MAX)
        refusals = await connection.fetch(_SQL["refusals"], REFUSALS_MAX)
    signed = [(row["signed_at"], row["size"]) for row in growth]
    minutes = per_minute(signed, now)
    return Operations(now, log, leases=leases, minutes=minutes, refusals=refusals, endpoints=endpoints, **rows)


def per_minute(signed: Sequence[tuple[datetime, int]], now: datetime) -> list[tuple[datetime, int]]:
    """How many entries were signed in each of the last `MINUTES` minutes, oldest first.

    `signed`: times and sizes of checkpoints, newest first. What the oldest of them grew by is not known.
    """
    grown: Counter[datetime] = Counter()
    for (at, size), (_, before) in pairwise(signed):
        grown[_minute(at)] += size - before
    last = _minute(now)
    return [(minute, grown[minute]) for minute in (last - timedelta(minutes=n) for n in reversed(range(MINUTES)))]


async def read_processes(settings: Settings) -> list[ProcessStatus]:
    """The processes of this machine's stack, as they answer; empty where they run elsewhere."""
    status = await asyncio.to_thread(stack_status, settings)
    return status.with_answers(await read_answers(status)).own_processes


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


@routes.get("/operations")
async def operations_page(visit: Visiting) -> Response:
    """While the database is away: what was read last, with its time."""
    processes = await read_processes(visit.parts.settings)
    found, is_kept = await _read(visit)
    language = visit.words.language
    return visit.page(
        "operations/operations.html",
        live=True,
        found=found,
        is_kept=is_kept,
        processes=processes,
        states=STATES_AR,
        halts=[(halt, runbook_entry(halt.kind, halt.reason, language)) for halt in found.halts(processes)],
        when_paused=runbook_entry("paused", "", language),
    )


@routes.get("/operations/trail")
async def trail_page(visit: Visiting, before: Before = None, operator: Operator = "") -> Response:
    async with visit.parts.connection() as connection:
        found = await connection.fetch(_SQL["trail"], before, operator.strip() or None, TRAIL_ROWS + 1)
    rows = documents_of(TrailRow, found)
    more = rows[TRAIL_ROWS - 1].position if len(rows) > TRAIL_ROWS else None
    return visit.page("operations/trail.html", listing=TRAIL, rows=rows[:TRAIL_ROWS], more=more, operator=operator)


@routes.get("/operations/accounts", dependencies=[only(["administrator"])])
async def accounts_page(visit: Visiting) -> Response:
    rows = [row.document(visit.parts.seals) for row in await list_accounts(visit.parts.own)]
    return visit.page("operations/accounts.html", listing=ACCOUNTS, rows=rows)


async def _read(visit: Visiting) -> tuple[Operations, bool]:
    """The tables now; while the database is away the last reading of this process, and True.

    Raises what was raised where there was none.
    """
    kept = visit.request.app.state
    try:
        async with visit.parts.connection() as connection:
            found = await read_operations(connection, visit.parts.clock(), visit.parts.settings)
    except (*TRANSIENT_ERRORS, Problem):
        if (earlier := getattr(kept, "operations", None)) is None:
            raise
        return earlier, True
    kept.operations = found
    return found, False
