"""What the operations page shows, read in one snapshot."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final

from consumers.documents.document import documents_of
from consumers.documents.teams.trail import TrailRow
from consumers.documents.teams.webhooks import Webhook
from infra.embedded.health import readiness
from infra.embedded.status import stack_status
from infra.postgres.connection import Connection
from infra.postgres.sql import queries
from infra.process.lease import holders
from infra.settings import Settings

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
class ProcessState:
    """A process of this machine's stack. `halted`: why, where it says so."""

    name: str
    state: str
    restarts: int
    halted: str | None


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

    def halts(self, processes: Iterable[ProcessState]) -> list[Halt]:
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


async def read_processes(settings: Settings) -> list[ProcessState]:
    """The processes of this machine's stack, as they answer; empty where they run elsewhere."""
    if settings.stack() is None:
        return []
    status = await asyncio.to_thread(stack_status, settings)
    answers = await asyncio.gather(*(readiness(row["health_port"], row["health_host"]) for row in status.processes))
    named = {process["name"]: answer for process, answer in zip(status.processes, answers, strict=True)}
    return [
        ProcessState(row["name"], row["state"], row["restarts"], (named[row["name"]] or {}).get("halted"))
        for row in status.with_answers(named).processes
    ]


async def read_trail(connection: Connection, before: int | None, operator: str | None, limit: int) -> list[TrailRow]:
    """Rows of the trail, newest first."""
    return documents_of(TrailRow, await connection.fetch(_SQL["trail"], before, operator, limit))


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)
