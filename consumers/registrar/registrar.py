"""The registrar: the only writer of the national log.

It waits for the lease, takes over from what the database says, and works until an error or a stop. Whatever goes wrong
ends the owner; the next one starts from the database, so that there is one way to begin and no way to repair.
"""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import suppress
from typing import Final
from uuid import uuid4

import structlog
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError

from consumers.registrar.breaker import Clock
from consumers.registrar.journal import LEASE, Diverged, Fenced, Journal
from consumers.registrar.reader import TopicBroken
from consumers.registrar.session import RegistrarSession
from consumers.registrar.shipper import Behind
from consumers.registrar.signer import Fork
from infra.kafka.admin import LOG_TOPIC_CONFIG, KafkaRefused, admin_client, ensure_topic
from infra.log.reader import log_size
from infra.log.signed_note import InvalidKey, LogKey, load_key, load_or_create_key
from infra.observability.logs import LogOnce
from infra.observability.telemetry import count, forget_gauges
from infra.postgres.connection import TRANSIENT_ERRORS, Connection, connect, is_transient
from infra.process import lease
from infra.process.health import Progress, Readiness
from infra.process.tasks import pause
from infra.settings import Settings

HALT_LOOK_AGAIN_S: Final = 2.0
UNKNOWN_ERROR_EXIT: Final = 70

log = structlog.get_logger()


class Registrar:
    """Stands by for the lease, and works while it has it."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self.name = f"{socket.gethostname()}-{uuid4().hex[:8]}"
        self.halted: str | None = None
        self.standing_by = False
        self.progress = Progress(time.monotonic)
        self._wait_ms = settings.retry_wait_min_ms
        self._halt = LogOnce("the registrar halted and signs nothing", "the registrar no longer halts")
        self._wait = LogOnce("the registrar waits and starts again", "the registrar goes on")

    def readiness(self) -> Readiness:
        """Ready while it registers or stands by; not while it halts, nor after it refused the platform's own event."""
        self.progress.standby = self.standing_by
        state = self.progress.readiness()
        return state if self.halted is None else Readiness(False, state.details | {"halted": self.halted})

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. Errors that pass by themselves wait, a halt is looked at again; both are said once.

        An error that nobody foresaw ends the process (`SystemExit`), which its supervisor starts again.
        """
        while not stop.is_set():
            try:
                await self._own(stop)
            except Fenced as error:
                count("fenced_writers", process=LEASE)
                log.warning("another registrar took over: standing by", reason=str(error))
            except (Fork, Diverged, InvalidKey) as error:
                self.halted = str(error)
                self._halt.begins(error)
                await pause(stop, HALT_LOOK_AGAIN_S)
            except Exception as error:
                if not (is_transient(error) or isinstance(error, KafkaError | Behind)):
                    log.exception("an unknown error ends the process")
                    raise SystemExit(UNKNOWN_ERROR_EXIT) from None
                self._wait.begins(error)
                count("retries", process=LEASE)
                await self._mend(error)
                await pause(stop, self._wait_ms / 1000)
                self._wait_ms = min(2 * self._wait_ms, self.settings.retry_wait_max_ms)

    async def _own(self, stop: asyncio.Event) -> None:
        """Wait for the lease, then work until `stop`, an error, or a topic that broke."""
        connection = await connect(self.settings, "registrar", answer_timeout_s=2 * self.settings.lease_ms / 1000)
        try:
            epoch = await self._stand_by(connection, stop)
            if epoch is None:
                return
            journal = Journal(connection, epoch, self.settings)
            try:
                # Read each time, so that a file that a person puts back is noticed.
                key = await self._key(connection)
                owner = RegistrarSession(journal, key, self.settings, self.clock, self.progress)
                await owner.work(stop, lambda: self._taken_over(journal))
            except TopicBroken as broken:
                for topic, reason in broken.faults.items():
                    log.error("a topic is halted, the others go on", topic=topic, reason=reason)
                    await journal.halt_topic(topic, reason)
            finally:
                with suppress(*TRANSIENT_ERRORS):
                    await lease.release(connection, LEASE, epoch)
        finally:
            with suppress(*TRANSIENT_ERRORS):
                await connection.close(timeout=1)

    async def _stand_by(self, connection: Connection, stop: asyncio.Event) -> int | None:
        """The epoch, as soon as the lease is free; None at a stop."""
        while not stop.is_set():
            epoch = await lease.claim(connection, LEASE, self.name, self.settings)
            if epoch is not None:
                if self.standing_by:
                    self.standing_by = False
                    self.progress.begin()
                return epoch
            self.standing_by = True
            forget_gauges()
            self._wait.ends()
            await pause(stop, self.settings.lease_renew_ms / 1000)
        return None

    async def _key(self, connection: Connection) -> LogKey:
        """The log's key, which is made for an empty log only."""
        load = load_key if await log_size(connection) else load_or_create_key
        return load(self.settings.log_folder, self.settings.log_origin)

    def _taken_over(self, journal: Journal) -> None:
        """Take back what was said of a halt or a wait: the owner works."""
        self.halted = None
        self._wait_ms = self.settings.retry_wait_min_ms
        self._halt.ends()
        self._wait.ends()
        log.info("registering", size=journal.size, epoch=journal.epoch)

    async def _mend(self, error: Exception) -> None:
        """The one thing that is re-made rather than waited for: the log's own topic."""
        if isinstance(error, UnknownTopicOrPartitionError):
            with suppress(*TRANSIENT_ERRORS, KafkaError, KafkaRefused):
                async with admin_client(self.settings, "platform") as admin:
                    await ensure_topic(
                        admin,
                        self.settings.log_topic,
                        LOG_TOPIC_CONFIG,
                        replication=self.settings.kafka_replication_factor,
                    )
