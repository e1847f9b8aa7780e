"""Defects: each is the code without one of its safeguards."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from consumers.delivery.sending import messages
from consumers.delivery.sending.route import Message
from consumers.proof.commitments.commitment import Commitment
from consumers.registrar import signer
from consumers.registrar.journal import Journal
from consumers.registrar.signer import Signer
from consumers.relay import relay
from consumers.relay.agency_topics import Message as OutboxMessage
from consumers.relay.relay import PlatformOutbox
from consumers.replay.fold.apply import apply
from consumers.replay.fold.postgres_store import live_store
from consumers.replay.pipeline import writer
from consumers.replay.pipeline.batch import Batch
from consumers.replay.pipeline.writer import Writer
from consumers.replay.rebuild import rebuild
from infra.kafka.clients import send_batch
from infra.log.signed_note import Checkpoint
from infra.postgres import outbox_table
from infra.postgres.connection import Connection
from infra.private_keys import key_files
from infra.private_keys.key_files import CHECKPOINT_FILE
from infra.secret_files import sync_folder
from infra.settings import Settings
from producers.gateway.writer import KafkaWriter
from tests.simulate import worlds


def the_registrars_fence_is_left_out(patched: pytest.MonkeyPatch) -> None:
    async def hold(_: Journal) -> None:
        """Nothing is asked."""

    patched.setattr(Journal, "hold", hold)


def a_consumers_fence_is_left_out(patched: pytest.MonkeyPatch) -> None:
    """And the consumer does not notice that its lease is lost: what it writes until then is what the fence is for."""

    @asynccontextmanager
    async def renewing(*_: Any) -> AsyncIterator[asyncio.Future[None]]:
        yield asyncio.get_running_loop().create_future()

    patched.setattr(worlds, "renewing", renewing)
    fenced = "AND epoch = $2 AND position = $3"
    move = writer._SQL["move"]
    assert fenced in move
    patched.setitem(writer._SQL, "move", move.replace(fenced, "AND epoch >= $2 - 9 AND $3::bigint >= 0"))
    patched.setattr(writer, "FILL_BYTES_MAX", 1)  # also what is read from PostgreSQL is applied a few entries a time


def effects_are_committed_apart_from_the_position(patched: pytest.MonkeyPatch) -> None:
    commit = Writer._commit

    async def commit_apart(self: Writer, batch: Batch, gap_entries: int, release: Callable[[], None]) -> None:
        async with self.connection.transaction():
            decided = await apply(live_store(self.connection, self.consumer), self.consumer, batch.entries)
            await outbox_table.write(self.connection, decided, batch.end)

        async def applied(*_: Any) -> list[Any]:
            return []

        with pytest.MonkeyPatch.context() as once:
            once.setattr(writer, "apply", applied)
            await commit(self, batch, gap_entries, release)

    patched.setattr(Writer, "_commit", commit_apart)


def a_checkpoint_is_not_synced(patched: pytest.MonkeyPatch) -> None:
    def write(folder: Path, note: str) -> None:
        temporary = folder / f"{CHECKPOINT_FILE}.new"
        temporary.write_text(note, encoding="utf-8")
        temporary.rename(folder / CHECKPOINT_FILE)
        sync_folder(folder)

    patched.setattr(signer, "write_checkpoint", write)


def a_checkpoint_is_not_replaced_as_a_whole(patched: pytest.MonkeyPatch) -> None:
    def write(folder: Path, note: str) -> None:
        with (folder / CHECKPOINT_FILE).open("w", encoding="utf-8") as file:
            file.write(note)
            file.flush()
            os.fsync(file.fileno())

    # Where the code under test calls it: a sync of the harness is no point.
    write.__code__ = write.__code__.replace(co_filename=signer.__file__)
    patched.setattr(signer, "write_checkpoint", write)


def a_checkpoint_is_public_before_it_is_kept(patched: pytest.MonkeyPatch) -> None:
    keep, publish = Signer._write_to_file, Signer._publish

    async def publish_first(self: Signer, checkpoint: Checkpoint, *more: Any) -> None:
        await publish(self, checkpoint, *more)
        keep(self, checkpoint)

    patched.setattr(Signer, "_write_to_file", lambda *_: None)
    patched.setattr(Signer, "_publish", publish_first)


def the_public_key_is_written_in_place(patched: pytest.MonkeyPatch) -> None:
    class InPlace:
        def __init__(self, path: Path, mode: int) -> None:
            self._file = path.open("wb")

        def __enter__(self) -> Any:
            return self._file

        def __exit__(self, *_: object) -> None:
            self._file.close()

    patched.setattr(key_files, "private_file", InPlace)


def a_receipt_is_given_before_kafka_acknowledged(patched: pytest.MonkeyPatch) -> None:
    acknowledged = KafkaWriter._acknowledged

    async def expected(self: Any, connection: Any, topic: str, batch: Any) -> int:
        """Where this producer's batch will be, as far as no other writes."""
        ends: dict[str, int] = self.__dict__.setdefault("ends", {})
        first = ends.get(topic)
        if first is None:
            first = await acknowledged(self, connection, topic, batch)
        else:
            await send_batch(connection.producer, batch, topic)
        ends[topic] = first + batch.record_count()
        return first

    patched.setattr(KafkaWriter, "_acknowledged", expected)


def a_webhook_is_recorded_as_delivered_before_it_is_sent(patched: pytest.MonkeyPatch) -> None:
    due = messages.due

    async def read(connection: Connection, *more: Any) -> list[Message]:
        found = await due(connection, *more)
        ids = [message.message_id for message in found]
        await connection.execute("UPDATE delivery.message SET state = 'delivered' WHERE message_id = ANY ($1)", ids)
        return found

    patched.setattr(messages, "due", read)


def what_a_killed_process_left_is_not_looked_for(patched: pytest.MonkeyPatch) -> None:
    async def waiting(*_: Any) -> set[str]:
        """Only what is new is known."""
        return set()

    patched.setattr(messages, "waiting", waiting)


def a_webhook_does_not_wait_for_an_earlier_one_of_its_lane(patched: pytest.MonkeyPatch) -> None:
    lane = "b.lane = m.lane"
    due = messages._SQL["due"]
    assert lane in due
    patched.setitem(messages._SQL, "due", due.replace(lane, "b.lane IS NULL"))


def a_decision_is_deleted_before_it_is_acknowledged(patched: pytest.MonkeyPatch) -> None:
    unsent = PlatformOutbox.unsent

    async def delete(self: PlatformOutbox, connection: Connection, limit: int) -> list[OutboxMessage]:
        found = await unsent(self, connection, limit)
        rows = [message.position for message in found]
        if rows:
            await connection.execute("DELETE FROM platform.outbox WHERE row_id = ANY ($1)", rows)
        return found

    patched.setattr(PlatformOutbox, "unsent", delete)


def what_is_decided_again_is_sent_again(patched: pytest.MonkeyPatch) -> None:
    held = "coalesce(o.position <= s.recovered_to, false)"
    assert held in relay._OUTBOX["next"]
    patched.setitem(relay._OUTBOX, "next", relay._OUTBOX["next"].replace(held, "false"))


def commitments_name_no_version(patched: pytest.MonkeyPatch) -> None:
    named = Commitment.event
    patched.setattr(Commitment, "event", lambda self: named(replace(self, fold_version=None)))


def a_swap_has_no_limit_of_its_own(patched: pytest.MonkeyPatch) -> None:
    """Only those of the rebuild's session are left."""
    try_swap = rebuild.try_swap

    async def unlimited(settings: Settings, *more: Any) -> rebuild.Try:
        longer = settings.model_copy(update={"idle_in_transaction_timeout_ms": rebuild.SUSPENDED_MS_MAX})
        return await try_swap(longer, *more)

    patched.setattr(rebuild, "try_swap", unlimited)
    patched.setattr(rebuild, "SWAP_MS_MAX", 0)


def a_swap_does_not_lock_the_position(patched: pytest.MonkeyPatch) -> None:
    locked = rebuild._SWAP_SQL["locked_position"]
    assert "FOR UPDATE" in locked
    patched.setitem(rebuild._SWAP_SQL, "locked_position", locked.replace("FOR UPDATE", ""))


def two_rebuilds_may_run_at_once(patched: pytest.MonkeyPatch) -> None:
    lock = "pg_try_advisory_lock($1, hashtext($2))"
    assert lock in rebuild._SQL["lock"]
    patched.setitem(rebuild._SQL, "lock", rebuild._SQL["lock"].replace(lock, "$1::int > 0 AND $2::text <> ''"))
