"""The fixed point: everything published has been read, registered, signed, shipped and applied, and nothing follows.

A commitment that is due is no part of it: it says what is known, and may come at any time (`yesser commit` makes one).

PostgreSQL is read before Kafka. If the outbox was empty, every consumer was at the log's end, and the topics still end
where the registrar had read to, then nothing was in flight in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from consumers.relay.triggers import triggers_waiting
from infra.kafka.client_config import agency_topic
from infra.log.unsigned import read_unsigned
from infra.postgres.connection import Connection
from infra.postgres.sql import queries

_SQL: Final = queries("consumers.relay", "wait.sql")


@dataclass(frozen=True, slots=True)
class PipelineStatus:
    """One reading. `positions` has every required consumer, at 0 if it never ran; `next_offsets` is by topic.

    `halted` gives the reason for each halted consumer and topic; `stopped` that of each process that halted and will
    try again; `unsigned` says that checkpoints are missing; `paused_until` is by paused topic.
    """

    size: int
    signed_up_to: int
    shipped_up_to: int
    outbox_count: int
    triggers_count: int
    positions: Mapping[str, int]
    next_offsets: Mapping[str, int]
    halted: Sequence[str] = field(default=())
    stopped: Sequence[str] = field(default=())
    unsigned: str | None = None
    paused_until: Mapping[str, datetime] = field(default_factory=dict)

    def applied(self, index: int) -> bool:
        return all(position > index for position in self.positions.values())

    def pending(self) -> list[str]:
        """What is still pending in PostgreSQL; empty at a fixed point."""
        behind = {name: self.size - at for name, at in sorted(self.positions.items()) if at < self.size}
        pending = [f"{name} has {entries} entries to apply" for name, entries in behind.items()]
        if self.outbox_count:
            pending.append(f"{self.outbox_count} events of the platform are in the outbox")
        if self.triggers_count:
            pending.append(f"{self.triggers_count} triggers are not on their topic yet")
        if self.shipped_up_to < self.size:
            pending.append(f"{self.size - self.shipped_up_to} entries are not shipped yet")
        return pending

    def not_signed(self) -> list[str]:
        """The entries that no checkpoint covers yet: no proof can be given for them."""
        return [f"the entries from {self.signed_up_to} on are not signed yet"] if self.signed_up_to < self.size else []

    def standing(self, pending: Sequence[str]) -> list[str]:
        """What an operator must end if it lasts. That the log is not signed counts once nothing else is pending: no log
        is signed while Kafka is away."""
        return [*self.stopped, *([self.unsigned] if self.unsigned and not pending else [])]

    def unread(self, end_offsets: Mapping[str, int]) -> list[str]:
        """Topics with records that the registrar has not read, given their end offsets in Kafka."""
        return [
            f"{end_offsets[topic] - next_offset} records of {topic} are not read yet{self._pause(topic)}"
            for topic, next_offset in sorted(self.next_offsets.items())
            if end_offsets.get(topic, 0) > next_offset
        ]

    def _pause(self, topic: str) -> str:
        paused_until = self.paused_until.get(topic)
        return "" if paused_until is None else f" (paused until {paused_until:%H:%M:%S} UTC: `yesser agencies list`)"


async def read_status(connection: Connection, consumers: Iterable[str]) -> PipelineStatus:
    """Read the status from PostgreSQL: the outbox before the positions before the size, since each lags the next."""
    positions = dict.fromkeys(consumers, 0)
    halted = []
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        state = await connection.fetchrow(_SQL["state"])
        for row in await connection.fetch(_SQL["positions"]):
            positions[row["consumer"]] = row["position"]
            if row["halted_reason"] is not None:
                halted.append(f"{row['consumer']} halted: {row['halted_reason']}")
        topics = await connection.fetch(_SQL["topics"])
        stopped = await connection.fetch(_SQL["stopped"])
        unsigned = await read_unsigned(connection)
    halted += [f"{agency_topic(t['code'])} halted: {t['halted_reason']}" for t in topics if t["halted_reason"]]
    assert state is not None
    return PipelineStatus(
        size=state["size"],
        signed_up_to=state["signed_up_to"],
        shipped_up_to=state["shipped_up_to"],
        outbox_count=state["outbox_count"],
        triggers_count=await triggers_waiting(connection),
        positions=positions,
        next_offsets={agency_topic(t["code"]): t["next_offset"] for t in topics},
        halted=halted,
        stopped=[f"{row['name']} halted: {row['halted_reason']}" for row in stopped],
        unsigned=unsigned,
        paused_until={agency_topic(t["code"]): t["paused_until"] for t in topics if t["paused_until"]},
    )
