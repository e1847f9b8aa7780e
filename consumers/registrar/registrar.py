"""The registrar: the only writer of the national log.

It waits for the lease, takes over from what the database says, and works until an error or a stop. Whatever goes wrong
ends its term; the next one starts from the database, so that there is one way to begin and no way to repair.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import structlog
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError

from consumers.registrar.claims.sealing import keep_claims
from consumers.registrar.guards.continuation import (
    has_checkpoint,
    require_own_checkpoint,
    require_place,
    stored_transitions,
)
from consumers.registrar.journal import LEASE, Journal
from consumers.registrar.reader import TopicBroken
from consumers.registrar.session import RegistrarSession
from infra.clock import Clock, utc_now
from infra.kafka.admin import KafkaRefused, admin_client, ensure_topic, log_topics
from infra.log.reader import entries_recorded_by, log_size
from infra.log.signed_note import InvalidKey
from infra.postgres.connection import TRANSIENT_ERRORS, Connection, connect
from infra.postgres.sql import queries
from infra.private_keys.key_files import KeyRing, load_keys, load_or_create_keys, log_key_files
from infra.process import lease
from infra.process.health import Progress, Readiness
from infra.process.leader_election import LeaderElection, Term
from infra.process.lease import LeaseSpec
from infra.process.retention import keep_retention
from infra.process.tasks import in_thread
from infra.settings import Settings

_SQL: Final = queries("consumers.registrar", "registrar.sql")

log = structlog.get_logger()


class Registrar:
    """Stands by for the lease, and works while it has it."""

    def __init__(self, settings: Settings, clock: Clock = utc_now) -> None:
        self.settings = settings = settings.acting_as("registrar")
        self.clock = clock
        self.progress = Progress(time.monotonic)
        spec = LeaseSpec(LEASE, lambda application: connect(settings, application))
        self._election = LeaderElection(settings, spec, self._work, self.progress, self._require_able)

    def readiness(self) -> Readiness:
        """Ready while it registers or stands by; not while it halts, cannot sign, or has halted a topic, nor after it
        refused the platform's own event."""
        return self.progress.readiness()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`."""
        await self._election.run(stop)

    async def _work(self, term: Term) -> None:
        """Work until the stop, an error, or a topic that broke: the next term begins without that topic."""
        async with term.connected(self.settings, LEASE) as connection:
            journal = Journal(connection, term.epoch, self.settings)
            # Read each time, so that a file that an operator restores is noticed.
            keys = await self._keys(connection)
            session = RegistrarSession(journal, keys, self.settings, self.clock, self.progress)
            beside = [asyncio.create_task(keep_retention(self.settings, term, {"log.dead_letter": self._forget}))]

            def took_over() -> None:
                self._election.moved()
                log.info("registering", size=journal.size, epoch=journal.epoch)
                beside.append(asyncio.create_task(self._keep_claims(term, journal)))

            try:
                await session.work(term.stop, took_over)
            except TopicBroken as broken:
                for topic, reason in broken.faults.items():
                    log.error("a topic is halted, the others go on", topic=topic, reason=reason)
                    await journal.halt_topic(topic, reason)
            except UnknownTopicOrPartitionError:
                await self._ensure_log_topics()
                raise
            finally:
                for task in beside:
                    task.cancel()
                await asyncio.gather(*beside, return_exceptions=True)

    async def _keep_claims(self, term: Term, journal: Journal) -> None:
        connected = partial(term.connected, self.settings, f"{LEASE} claims")
        hold = partial(lease.hold, name=LEASE, epoch=term.epoch)
        await keep_claims(connected, term.stop, journal.claims.filter, lambda: journal.size, hold)

    async def _forget(self, connection: Connection, rows_max: int) -> str:
        """Delete refused records that are older than their retention, by the log's own time: a clock that is set
        deletes nothing too early."""
        row = await connection.fetchrow(_SQL["state"])
        if row is None or not row["recorded"]:
            return "DELETE 0"
        oldest = datetime.fromisoformat(row["recorded"]) - timedelta(days=self.settings.refused_keep_days)
        first_index = await entries_recorded_by(connection, oldest)
        return await connection.execute(_SQL["forget_refused"], first_index, rows_max)

    async def _require_able(self, connection: Connection) -> None:
        """Raise a `Halt` unless this machine has the key that signed the log, can use it and can keep a checkpoint: it
        else leaves the lease to one that can (docs/decisions/who-cannot-sign-stands.md)."""
        if await self._has_begun(connection):
            keys = await self._keys(connection)
            await require_own_checkpoint(connection, keys.history)
            await in_thread(keys.current.require)
            await asyncio.to_thread(require_place, self.settings.log_folder)

    async def _keys(self, connection: Connection) -> KeyRing:
        """The log's keys. The first is made for a log without entries and checkpoints only."""
        files = log_key_files(self.settings)
        if not await self._has_begun(connection):
            return load_or_create_keys(files)
        if not files.current.exists():
            raise InvalidKey(
                f"{files.current} is gone, or was never brought to this machine; a log that has begun never gets a new"
                " one: bring it with `yesser keys import` from its copy or from the machine that has it"
                " (docs/standby.md)"
            )
        return load_keys(files, await stored_transitions(connection))

    async def _has_begun(self, connection: Connection) -> bool:
        return await log_size(connection) > 0 or await has_checkpoint(connection)

    async def _ensure_log_topics(self) -> None:
        """The only topics that are created again rather than waited for."""
        with suppress(*TRANSIENT_ERRORS, KafkaError, KafkaRefused):
            async with admin_client(self.settings) as admin:
                for name, config in log_topics(self.settings).items():
                    await ensure_topic(admin, name, config, replication=self.settings.topic_copies)
