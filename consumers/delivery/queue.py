"""The queue of endpoints that have something to send: PgQueuer, on a connection and in the transactions of its caller.

A job wakes one endpoint, now or later. What is to be sent is in `delivery.message`: a job that is done twice, or
finds nothing, does no harm. Only the process with the lease takes jobs, so none is ever taken from a living one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final
from uuid import uuid4

from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence import qb
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.domain.models import Job
from pgqueuer.domain.settings import DBSettings
from pgqueuer.domain.types import QueueEntrypoint, QueueManagerId
from pgqueuer.ports.repository import EntrypointExecutionParameter

from infra.postgres.connection import Connection
from infra.postgres.sql import queries

WEBHOOK: Final = QueueEntrypoint("webhook")
CHANNEL: Final = "ch_pgqueuer"
"""Each change of the queue is announced on it."""
NEVER_STALE: Final = timedelta(days=3_650)

_SQL: Final = queries("consumers.delivery", "queue.sql")


class Queue:
    """The queue on one connection."""

    def __init__(self, connection: Connection) -> None:
        names = DBSettings(db_schema="delivery")
        self._connection = connection
        self._me = QueueManagerId(uuid4())
        self._queries = Queries(
            AsyncpgDriver(connection),
            qb.QueryBuilderEnvironment(names),
            qb.QueryQueueBuilder(names),
            qb.QuerySchedulerBuilder(names),
        )

    async def wake(self, waits: Mapping[str, float]) -> None:
        """Have each endpoint woken after its wait (in seconds), once the caller's transaction commits."""
        if waits:
            await self._queries.enqueue(
                [WEBHOOK] * len(waits),
                [endpoint_id.encode() for endpoint_id in waits],
                [0] * len(waits),
                [timedelta(seconds=wait_s) for wait_s in waits.values()],
            )

    async def give_back(self) -> None:
        """Let jobs that an earlier process took be taken again. It no longer holds the lease."""
        await self._connection.execute(_SQL["give_back"])

    async def take(self, limit: int) -> list[Job]:
        """The jobs that are due, oldest first."""
        return await self._queries.dequeue(
            limit, {WEBHOOK: EntrypointExecutionParameter(0)}, self._me, None, NEVER_STALE
        )

    async def done(self, jobs: Sequence[Job]) -> None:
        """Remove these jobs in the caller's transaction."""
        if jobs:
            await self._queries.log_jobs([(job, "successful", None) for job in jobs])


def endpoint_of(job: Job) -> str:
    """The endpoint that a job wakes."""
    return (job.payload or b"").decode()
