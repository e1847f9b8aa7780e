"""Signed checkpoints: at most one per interval while the log grows, kept outside PostgreSQL before publication.

Both places, the file beside the key and the topic of checkpoints, detect that a restored database is older than a
published checkpoint. A checkpoint in the topic that another process wrote is compared with the tree before the next
signature: so two databases that go on from one backup are noticed.

Commits go on while Kafka acknowledges a checkpoint.

A rotation of the key is a row of `log.key_history` first; only then are the files changed and is a checkpoint signed
with the new key: a registrar that was superseded meanwhile changes neither.
"""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import Final

import structlog

from consumers.registrar.guards.clocks import ClockCheck
from consumers.registrar.guards.continuation import (
    CheckpointTopic,
    Fork,
    checkpoints_of,
    newest,
    read_last_checkpoint,
    require_continuation,
    require_prefix,
    write_checkpoint,
)
from consumers.registrar.journal import Journal
from events.errors import Fenced
from infra.log.key_history import key_name, sign_transition
from infra.log.signed_note import Checkpoint, checkpoint_text, sign_note
from infra.log.verified_authority import KEPT_EVERY, KeptAuthority, derive_authority
from infra.observability.telemetry import count, gauge
from infra.postgres.sql import queries
from infra.private_keys.key_files import KeyRing, adopt, log_key_files, next_key
from infra.process.tasks import in_thread
from infra.settings import Settings

_SQL: Final = queries("consumers.registrar", "registrar.sql")

log = structlog.get_logger()


class Signer:
    """Signs the committed tree under its journal's epoch.

    `newest` is the last checkpoint, None before the first; `kept_size` the size of the last note about authority, 0
    before it.
    """

    def __init__(
        self, journal: Journal, keys: KeyRing, settings: Settings, topic: CheckpointTopic, clocks: ClockCheck
    ) -> None:
        self.journal = journal
        self.keys = keys
        self.files = log_key_files(settings)
        self.topic = topic
        self.clocks = clocks
        self.folder = settings.log_folder
        self.interval_s = settings.checkpoint_interval_ms / 1000
        self.newest: Checkpoint | None = None
        self.kept_size = 0
        self._signed_at = float("-inf")
        self._signing = asyncio.Lock()

    async def take_over(self) -> None:
        """Require that the tree continues all checkpoints kept outside; then keep the newest in all places.

        The newest is written to the topic in any case: the acknowledgement shows Kafka's clock before anything is
        registered. Where there is none yet, the first is signed.
        """
        journal = self.journal
        in_topic = checkpoints_of(await self.topic.read(), self.keys.history, self.topic.partition.topic)
        in_file = read_last_checkpoint(self.folder, self.keys.history)
        checkpoints = in_topic if in_file is None else [*in_topic, in_file]
        async with journal.transaction() as connection:
            await require_continuation(connection, self.keys.history, checkpoints, journal.size)
            for number, step in enumerate(self.keys.history.transitions, 1):
                await connection.execute(_SQL["adopt_key"], number, step.size, step.note)
        last = newest(checkpoints)
        await self._derive_authority(last)
        if last is None:
            await self.sign()
            return
        if in_file is None or in_file.size < last.size:
            await in_thread(write_checkpoint, self.folder, last.note)
        await self._write_to_topic(last)
        await self._publish(last, "adopt_checkpoint")

    async def sign(self) -> bool:
        """Sign the current size; False if it is already signed. Raises `Fork` where another log was signed."""
        async with self._signing:
            return await self._sign()

    async def _sign(self) -> bool:
        await self._rotate_if_requested()
        await self._compare_others()
        journal = self.journal
        if self.newest is not None and journal.size == self.newest.size:
            return False
        async with journal.transaction():
            size, root = journal.size, journal.tree.root()
            origin = self.keys.current.name
            # In a thread: a key in a token waits for its device.
            text, keys = checkpoint_text(origin, size, root), self.keys.signing(self.clocks.clock())
            signed = Checkpoint(origin, size, root, await in_thread(sign_note, text, keys))
            authority = await self._authority_due(signed)
        # It may take seconds where a disk is busy: commits go on.
        await in_thread(self._write_to_file, signed)
        # Again: this owner may have been suspended since, and another one may have signed.
        await self._compare_others()
        await self._write_to_topic(signed)
        await self._publish(signed, "add_checkpoint", authority)
        self._signed_at = time.monotonic()
        count("checkpoints_signed")
        return True

    async def sign_when_due(self) -> bool:
        """Sign the current size once the interval since the last checkpoint is over."""
        if self.newest is not None and self.journal.size == self.newest.size:
            return False
        await asyncio.sleep(max(0.0, self._signed_at + self.interval_s - time.monotonic()))
        return await self.sign()

    async def _rotate_if_requested(self) -> None:
        """Replace the key by the prepared one, if `yesser keys rotate log` asked for it and the log has grown."""
        if not self.files.next.exists():
            return
        journal = self.journal
        async with journal.lock:
            prepared, steps = next_key(self.files), self.keys.history.transitions
            if prepared is None or prepared.overlap_days is None or journal.size <= self.keys.history.size:
                return
            until = self.clocks.clock() + timedelta(days=prepared.overlap_days)
            tree = (journal.size, journal.tree.root())
            step = await in_thread(sign_transition, self.keys.current, prepared.key, until, tree)
            async with journal.connection.transaction():
                await journal.hold()
                await journal.connection.execute(_SQL["add_key"], len(steps) + 1, step.size, step.note)
        self.keys = await in_thread(adopt, self.files, step)
        log.info("the key was rotated", old=key_name(step.old), new=key_name(step.new), size=step.size)

    async def _compare_others(self) -> None:
        """Compare the checkpoints that others have written to the topic since, under the lease.

        An older one is a late record of a former owner: the newest is written again, so that compaction keeps it.
        """
        values = await self.topic.read()
        if not values:
            return
        journal = self.journal
        others = checkpoints_of(values, self.keys.history, self.topic.partition.topic)
        async with journal.transaction() as connection:  # a former owner ends here
            for checkpoint in others:
                try:
                    await require_prefix(connection, checkpoint, journal.size)
                except Fork as error:
                    raise Fork(
                        f"{error}. This checkpoint was written to {self.topic.partition.topic} while this registrar"
                        " works: stop the registrars of any second database of this log first"
                    ) from error
        if self.newest is not None and values[-1] != self.newest.note.encode():
            log.warning("another process wrote to the topic of checkpoints: the newest is written again")
            await self._write_to_topic(self.newest)

    async def _write_to_topic(self, checkpoint: Checkpoint) -> None:
        """Write to the topic; the acknowledgement shows Kafka's clock."""
        began = self.clocks.clock()
        appended = await self.topic.write(checkpoint.origin, checkpoint.note)
        if appended is not None:
            self.clocks.require_kafka(began, appended)

    async def _derive_authority(self, last: Checkpoint | None) -> None:
        """Derive agencies, suspensions and the catalogue from the entries, and compare the tables with them."""
        journal = self.journal
        async with journal.lock:
            journal.authority, self.kept_size = await derive_authority(
                journal.connection, self.keys.history, journal.tree, last
            )
        journal.begin_with_catalogue()
        if changed := await journal.changed_row():
            raise changed

    async def _authority_due(self, checkpoint: Checkpoint) -> str | None:
        """A note about authority at this checkpoint, if one is due: with the first one, then after `KEPT_EVERY`."""
        size = checkpoint.size
        if size - self.kept_size < KEPT_EVERY and (self.kept_size or not size):
            return None
        authority_note = KeptAuthority(size, checkpoint.root, self.journal.authority)
        return await in_thread(authority_note.note, self.keys.current)

    async def _publish(self, checkpoint: Checkpoint, statement: str, authority: str | None = None) -> None:
        """Write to the database, which makes it public: it is kept outside by now."""
        async with self.journal.transaction() as connection:
            await connection.execute(_SQL[statement], checkpoint.size, checkpoint.note)
            if authority is not None:
                await connection.execute(_SQL["keep_authority"], checkpoint.size, authority)
                self.kept_size = checkpoint.size
        self.newest = checkpoint
        # Also at a take-over: a registrar that registers and cannot sign is noticed by the two sizes.
        gauge("checkpoint_size", checkpoint.size)

    def _write_to_file(self, checkpoint: Checkpoint) -> None:
        """Write the file, but never over a newer one: an owner suspended after `hold` may be superseded.

        One suspended in here may replace a newer one: the topic has that, and the next signature replaces this.
        """
        signed = read_last_checkpoint(self.folder, self.keys.history)
        if signed is not None and signed.size > checkpoint.size:
            raise Fenced(
                f"a checkpoint of size {signed.size} was signed while this owner, at {checkpoint.size}, was suspended"
            )
        write_checkpoint(self.folder, checkpoint.note)
