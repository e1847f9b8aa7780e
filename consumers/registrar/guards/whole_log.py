"""Whether the database has the whole log, as far as Kafka knows: asked by what acts on rows and signs nothing."""

from __future__ import annotations

from aiokafka.errors import UnknownTopicOrPartitionError

from consumers.registrar.guards.checkpoint_topic import read_topic_checkpoints
from consumers.registrar.guards.continuation import Fork
from consumers.registrar.shipper import read_tail
from infra.log.older_copy import older_copy
from infra.log.reader import log_size
from infra.postgres.connection import connected
from infra.settings import Settings


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
