"""The log continues every checkpoint that was signed: those kept outside PostgreSQL are compared with its tree.

Two places keep the newest one: a file beside the log's key, and the topic `yesser.checkpoints`, which a standby on
another machine reads. They show that a restored database is older than a published checkpoint, and that two databases
go on from one backup.

Flows in: checkpoints from these places, and the tree in the database. Flows out: nothing, or `Fork`.

Whether the database has the whole log, as far as Kafka knows: asked by what acts on rows and signs nothing.

The topic `yesser.checkpoints`: the newest signed checkpoint, where a standby on another machine can read it.

It is compacted (key: the log's origin), so that its last records are enough. Kafka cannot fence a producer that holds a
superseded lease without transactions: the last record may be a late one of a former owner. So readers compare all
records that are left, and the owner writes the newest checkpoint again after any record that is not its own
(docs/decisions/two-places-outside-the-database.md).

Flows in: signed notes. Flows out: the values that others wrote, and the time at which Kafka appended.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import UnknownTopicOrPartitionError

from consumers.registrar.raw_record_reader import CorruptBatch, fetch_records
from consumers.registrar.shipper import read_tail
from events.errors import Halt, Retry
from infra.errors import older_copy
from infra.kafka.clients import acknowledged, consuming
from infra.kafka.end_offsets import ends_of_existing
from infra.log.key_history import KeyHistory, Transition
from infra.log.reader import log_size, read_rotations, read_tree
from infra.log.signed_note import Checkpoint, InvalidNote
from infra.postgres.connection import Connection, connected
from infra.postgres.sql import queries
from infra.private_keys.key_files import CHECKPOINT_FILE
from infra.secret_files import sync_folder
from infra.settings import Settings

FETCH_BYTES_MAX: Final = 1 << 20
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LOG_APPEND_TIME: Final = 1
_TRIED_BYTES: Final = 4096
COMPARED_MAX: Final = 32
"""Most checkpoints of the topic that are compared at a take-over, from the newest on."""
_SQL: Final = queries("consumers.registrar.guards", "continuation.sql")


class CheckpointsLost(Retry):
    """The topic of checkpoints ends before what was read of it: it was created again."""


class CheckpointTopic:
    """Reads and writes the topic for one owner, or only reads it. `read_up_to` is the offset behind all records that it
    knows."""

    def __init__(
        self, settings: Settings, consumer: AIOKafkaConsumer, producer: AIOKafkaProducer | None = None
    ) -> None:
        self.partition = TopicPartition(settings.checkpoints_topic, 0)
        self.read_up_to: int | None = None
        self._consumer = consumer
        self._producer = producer

    async def read(self) -> list[bytes]:
        """The values of all records since the last reading that this owner did not write; the first time, of all.

        Raises `UnknownTopicOrPartitionError` where the topic does not exist, and `CheckpointsLost`.
        """
        topic = self.partition.topic
        end = (await ends_of_existing(self._consumer, [topic])).get(topic)
        if end is None:
            raise UnknownTopicOrPartitionError(f"{topic} does not exist: it is created")
        if self.read_up_to is None:
            self.read_up_to = (await self._consumer.beginning_offsets([self.partition]))[self.partition]
        if end < self.read_up_to:
            raise CheckpointsLost(
                f"{topic} ends at offset {end}, but {self.read_up_to} was read: it was created again, and the newest"
                " checkpoint is written to it"
            )
        return await self._read_to(end)

    async def _read_to(self, end: int) -> list[bytes]:
        values: list[bytes] = []
        assert self.read_up_to is not None
        while self.read_up_to < end:
            try:
                records = await fetch_records(self._consumer, self.partition, self.read_up_to, FETCH_BYTES_MAX)
            except CorruptBatch as error:
                raise CorruptBatch(f"{self.partition.topic}: {error}; see docs/runbook.md") from error
            values += [record.value or b"" for record in records]
            self.read_up_to = records[-1].offset + 1 if records else end
        return values

    async def write(self, origin: str, note: str) -> datetime | None:
        """Write a signed checkpoint; returns when Kafka appended it (None where it does not stamp its own time)."""
        assert self._producer is not None
        topic, partition = self.partition
        sending = self._producer.send(topic, note.encode(), origin.encode(), partition=partition)
        metadata = await acknowledged(await acknowledged(sending))
        offset: int = metadata.offset
        if offset == self.read_up_to:
            self.read_up_to = offset + 1
        if metadata.timestamp_type != _LOG_APPEND_TIME:
            return None
        return _EPOCH + timedelta(milliseconds=metadata.timestamp)


async def read_topic_checkpoints(settings: Settings) -> Sequence[bytes]:
    """All values of the topic; none where it does not exist."""
    async with consuming(settings) as consumer:
        try:
            return await CheckpointTopic(settings, consumer).read()
        except UnknownTopicOrPartitionError:
            return []


class Fork(Halt):
    """The tree in the database does not continue the last signed checkpoint: nothing is signed."""


class CheckpointNotKept(Halt):
    """The file beside the log's key cannot be written: nothing is registered or signed."""


def read_last_checkpoint(folder: Path, history: KeyHistory) -> Checkpoint | None:
    """The checkpoint in the file, verified with the log's keys; None where there is no file."""
    path = folder / CHECKPOINT_FILE
    try:
        return history.parse_checkpoint(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (InvalidNote, UnicodeDecodeError) as error:
        raise Fork(
            f"{path} is not a checkpoint signed by this log's key ({error}); restore it from its backup, with its key"
        ) from error


def write_checkpoint(folder: Path, note: str) -> None:
    """Replace the file atomically and durably. Raises `CheckpointNotKept`."""
    temporary = folder / f"{CHECKPOINT_FILE}.new"
    with _kept_in(folder):
        with temporary.open("w", encoding="utf-8") as file:
            file.write(note)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(folder / CHECKPOINT_FILE)
        sync_folder(folder)


def require_place(folder: Path) -> None:
    """Raise `CheckpointNotKept` unless a checkpoint could be kept in the folder now. Another registrar may use it too:
    no file of a name is touched."""
    with _kept_in(folder), tempfile.TemporaryFile(dir=folder) as file:
        file.write(bytes(_TRIED_BYTES))
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _kept_in(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CheckpointNotKept(
            f"no checkpoint can be kept in {folder} ({error.strerror or error}): nothing is registered or signed; give"
            " the registrar's user a folder that it can write, on a disk with space, and it goes on by itself"
        ) from error


def checkpoints_of(values: Sequence[bytes], history: KeyHistory, topic: str) -> list[Checkpoint]:
    """This log's checkpoints among the values of the topic. Raises `Fork` for one that no key in force signed."""
    checkpoints = []
    for note in dict.fromkeys(values):
        if not note.startswith(f"{history.current.name}\n".encode()):
            continue
        try:
            checkpoints.append(history.parse_checkpoint(note.decode()))
        except (InvalidNote, UnicodeDecodeError) as error:
            raise Fork(
                f"{topic} holds a checkpoint that log.skey did not sign ({error}): if the key was rotated, bring the"
                " new one here (`yesser keys import`); else find out who writes to this topic (docs/runbook.md)"
            ) from error
    return checkpoints


def newest(kept: Sequence[Checkpoint]) -> Checkpoint | None:
    return max(kept, key=lambda checkpoint: checkpoint.size, default=None)


async def stored_transitions(connection: Connection) -> list[Transition]:
    """The rotations of the log's key that the database holds. Raises `Fork` for a row that is none."""
    try:
        return await read_rotations(connection)
    except InvalidNote as error:
        raise Fork(
            f"log.key_history holds a row that is no rotation ({error}): someone wrote to the database"
        ) from error


def signed_trees(history: KeyHistory) -> list[Checkpoint]:
    """The trees that the rotations of the log's key name: signed like checkpoints."""
    return [Checkpoint(step.new.name, *step.tree, step.note) for step in history.transitions if step.tree is not None]


async def require_continuation(
    connection: Connection, history: KeyHistory, kept: Sequence[Checkpoint], size: int
) -> None:
    """Raise `Fork` unless the tree of `size` entries continues the newest of the checkpoints kept outside, which must
    be at least as new as the one in the database, and the tree of each rotation of the key."""
    await require_own_checkpoint(connection, history)
    for tree in signed_trees(history):
        await require_prefix(connection, tree, size)
    stored: int | None = await connection.fetchval(_SQL["signed_size"])
    last = newest(kept)
    if stored is not None and (last is None or last.size < stored):
        what = "there is none" if last is None else f"the newest one has size {last.size}"
        raise Fork(
            f"the database holds a checkpoint of size {stored}, but in the file beside the key and in the topic of"
            f" checkpoints {what}; restore the file from its backup, with its key"
        )
    ordered = sorted(kept, key=lambda checkpoint: -checkpoint.size)
    for checkpoint in ordered[:COMPARED_MAX]:
        await require_prefix(connection, checkpoint, size)


async def has_checkpoint(connection: Connection) -> bool:
    """Whether the database has a checkpoint."""
    return await connection.fetchval(_SQL["signed_size"]) is not None


async def require_own_checkpoint(connection: Connection, history: KeyHistory) -> None:
    """Raise `Fork` unless a key in force signed the newest checkpoint in the database."""
    note: str | None = await connection.fetchval(_SQL["last_note"])
    if note is None:
        return
    try:
        history.parse_checkpoint(note)
    except InvalidNote as error:
        raise Fork(
            f"the newest checkpoint in the database was not signed with log.skey ({error}): if the key is another"
            " log's, restore the whole folder from its backup; else someone wrote to the database"
        ) from error


async def require_prefix(connection: Connection, checkpoint: Checkpoint, size: int) -> None:
    """Raise `Fork` unless a signed checkpoint is a prefix of the tree of `size` entries."""
    if checkpoint.size > size:
        raise Fork(older_copy(f"a checkpoint of size {checkpoint.size} was signed", size))
    try:
        root = (await read_tree(connection, checkpoint.size)).root()
    except LookupError as error:
        raise Fork(f"{error}; restore the database, then run `yesser recover`") from error
    if root != checkpoint.root:
        raise Fork(
            f"the first {checkpoint.size} entries in the database do not give the root that was signed "
            f"({root.hex()} instead of {checkpoint.root.hex()}); restore the database, then run `yesser recover`"
        )


async def require_whole_log(settings: Settings) -> None:
    """Raise `Fork` where `yesser.log` or `yesser.checkpoints` names more entries than the database has.

    Signatures are not verified: the registrar does, and a forged checkpoint halts it too.
    """
    try:
        last_index, _ = await read_tail(settings)
    except UnknownTopicOrPartitionError:  # the registrar makes it again
        last_index = -1
    own = f"{settings.log_origin}\n".encode()
    notes = [note for note in await read_topic_checkpoints(settings) if note.startswith(own)]
    signed = max(map(_size, notes), default=0)
    async with connected(settings, "whole log") as connection:
        size = await log_size(connection)
    if last_index >= size:
        raise Fork(older_copy(f"{settings.log_topic} holds index {last_index}", size))
    if signed > size:
        raise Fork(older_copy(f"a checkpoint of size {signed} was signed", size))


def _size(note: bytes) -> int:
    """The size that a checkpoint names on its second line; 0 for what is none."""
    size = note.split(b"\n")[1]
    return int(size) if size.isdigit() else 0
