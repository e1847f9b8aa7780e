"""The relay's third task: it commits to the read models whenever the log has grown by so many entries.

It reads in snapshots beside the consumers and never waits for one of them or holds one up. Hashing everything costs
seconds where tables have millions of rows, so as long as the log grows it takes no more than a tenth of the time: a
commitment then comes at the first index past its multiple at which a snapshot could be had, and a multiple may be
passed over. At rest nothing is put off; what is due is committed before `yesser wait` speaks of a fixed point.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Final

import structlog

from consumers.commitments.commitment import hash_read_models, publish_by_relay, reached
from infra.log.reader import log_size
from infra.postgres.connection import TRANSIENT_ERRORS, Connection, connect
from infra.settings import Settings

LOOK_EVERY_S: Final = 0.5
REST_PER_WORK: Final = 9
"""Seconds of rest for each second of work, as long as the log grows."""

log = structlog.get_logger()


class CommitmentScheduler:
    """Looks whether a commitment is due, on a connection of its own, until it is cancelled."""

    def __init__(self, settings: Settings, epoch: int) -> None:
        self.settings = settings
        self.epoch = epoch
        self._size = -1
        self._rests_until = 0.0

    async def run(self) -> None:
        connection = await connect(self.settings, "committer", batch=True)
        # A process that was stopped must not hold a snapshot and its locks for ever.
        await connection.execute(
            f"SET idle_in_transaction_session_timeout = {self.settings.idle_in_transaction_timeout_ms}"
        )
        try:
            while True:
                await self.look(connection)
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            with suppress(*TRANSIENT_ERRORS):
                await connection.close(timeout=1)

    async def look(self, connection: Connection) -> bool:
        """Commit if it is due and no rest is owed; whether it did."""
        size = await log_size(connection)
        grows, self._size = size != self._size, size
        found = await reached(connection)
        if not found.due or (grows and time.monotonic() < self._rests_until):
            return False
        began = time.monotonic()
        commitments = await hash_read_models(connection)
        published = await publish_by_relay(connection, commitments, found.entries_count, self.epoch)
        took_s = time.monotonic() - began
        self._rests_until = time.monotonic() + REST_PER_WORK * took_s
        if published:
            log.info("read models committed", entries=found.entries_count, seconds=round(took_s, 3))
        return published
