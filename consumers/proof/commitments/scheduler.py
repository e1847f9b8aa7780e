"""Schedules commitments: a task of the relay commits the read models when the log has grown by a tenth, and once a day.

It reads in short transactions and never blocks a consumer. Hashing tables of millions of rows takes seconds, so it
works a twentieth of a second at a time and rests between. While the log grows it also rests after a commitment: it then
uses at most a fiftieth of the time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

import structlog

from consumers.models.registry import CONSUMERS
from consumers.proof.commitments.commitment import growths, hash_read_models, keys_growth, publish, trail_growth
from infra.log.reader import log_size
from infra.postgres.connection import Connection, limit_idle
from infra.process.leader_election import Term
from infra.settings import Settings

LOOK_EVERY_S: Final = 0.5
REST_PER_WORK: Final = 9
"""Seconds of rest for each second of work, which is done a twentieth of a second at a time."""
REST_PER_COMMITMENT: Final = 4
"""Seconds of rest after each second of a commitment while the log grows."""

log = structlog.get_logger()


class CommitmentScheduler:
    """Commits when due, on its own connection, until it is cancelled; `looked` is called after each look."""

    def __init__(self, settings: Settings, term: Term, looked: Callable[[], None] = lambda: None) -> None:
        self.settings = settings
        self.term = term
        self.looked = looked
        self._size = -1
        self._rests_until = 0.0

    async def run(self) -> None:
        async with self.term.connected(self.settings, "commitments", batch=True) as connection:
            await limit_idle(connection, self.settings)
            while True:
                await self.look(connection)
                self.looked()
                await asyncio.sleep(LOOK_EVERY_S)

    async def look(self, connection: Connection) -> bool:
        """Commit one consumer that is due, if the rest is over; returns whether it did.

        The others follow in later looks. So each is looked at just before: `yesser commit` may have been called.
        """
        size = await log_size(connection)
        grows, self._size = size != self._size, size
        committed = {name: growth.committed_index for name, growth in (await growths(connection)).items() if growth.due}
        due = [CONSUMERS[name] for name in sorted(committed, key=committed.__getitem__)[:1]]
        keys = await keys_growth(connection)
        trail, _ = await trail_growth(connection)
        if not due and not trail.due and keys.entries_count <= keys.committed_count:
            return False
        if grows and time.monotonic() < self._rests_until:
            return False
        began = time.monotonic()
        commitments = await hash_read_models(connection, due, rest_per_work=REST_PER_WORK)
        published = await publish(connection, commitments, self.term.epoch)
        took_s = time.monotonic() - began
        self._rests_until = time.monotonic() + REST_PER_COMMITMENT * took_s
        if published:
            log.info("read models committed", commitments=len(published), seconds=round(took_s, 3))
        return bool(published)
