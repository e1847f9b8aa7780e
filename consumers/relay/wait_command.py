"""`yesser wait [--index N] [--timeout S]`.

Exit codes: 0 reached · 1 it cannot be reached (something halted) · 75 not within the timeout.

The fixed point: everything published has been read, registered, signed, shipped and applied, and nothing follows.

A commitment that is due is no part of it: it says what is known, and may come at any time (`yesser commit` makes one).

PostgreSQL is read before Kafka. If the outbox was empty, every consumer was at the log's end, and the topics still end
where the registrar had read to, then nothing was in flight in between.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import click
import uvloop
from aiokafka.errors import KafkaError, SaslAuthenticationFailed, TopicAuthorizationFailedError

from consumers.models.registry import CONSUMERS
from consumers.relay.agency_topics import triggers_waiting
from events.errors import Halt
from events.values.bilingual import Bilingual
from infra.command_line.exit_codes import ExitCode
from infra.command_line.output import json_option, print_confirmation
from infra.errors import WaitTimedOut
from infra.kafka.client_config import agency_topic, bootstrap
from infra.kafka.end_offsets import end_offsets_reader
from infra.log.unsigned import read_unsigned
from infra.observability.logs import configure_logs
from infra.postgres.connection import Connection
from infra.postgres.sql import queries
from infra.process.retry import PatientConnection
from infra.settings import Settings

_SQL: Final = queries("consumers.relay", "wait.sql")
_KAFKA_ANSWER_S: Final = 10.0
STOPPED_MAX_S: Final = 10.0
"""A process that halted tries again every two seconds: what is still halted after this long needs an operator."""


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


class CannotBeReached(Halt):
    """The wait cannot end until this is repaired."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__(f"{self.__doc__} {'; '.join(reasons)}")


class Standstill:
    """Raises `CannotBeReached` for reasons that stand for `STOPPED_MAX_S`. Pure: the time comes in by argument."""

    def __init__(self) -> None:
        self._since: float | None = None

    def look(self, reasons: Sequence[str], now: float) -> None:
        if not reasons:
            self._since = None
        elif self._since is None:
            self._since = now
        elif now - self._since > STOPPED_MAX_S:
            raise CannotBeReached(reasons)


@click.command("wait")
@click.option("--index", type=click.IntRange(min=0), help="Wait only until every consumer has applied this entry.")
@click.option("--timeout", "timeout_s", type=float, help="Longest wait in seconds (default: none).")
@json_option
@click.pass_context
def wait(context: click.Context, index: int | None, timeout_s: float | None, as_json: bool) -> None:
    """Wait until everything published has been read, registered, signed and applied, and nothing more follows from it.

    While the log is not signed, or a topic or a process is halted, this does not end well: the message names the cause.
    With --index N: until every consumer has applied entry N (its position is above N). Exit code 1: an operator must
    act first; 75: not within the timeout.
    """
    settings = Settings()
    configure_logs("error", "wait")
    bootstrap(settings)
    try:
        status = uvloop.run(_wait(settings, index, timeout_s))
    except WaitTimedOut as error:
        click.echo(f"yesser: not within {timeout_s:g} s: {error}", err=True)
        context.exit(ExitCode.TRY_AGAIN)
    if index is None:
        words = Bilingual("طُبّقت كل القيود وعددها {:,}.", "All {:,} log entries are applied.").format(status.size)
    else:
        words = Bilingual("طُبّق القيد {:,}.", "Log entry {:,} is applied.").format(index)
    print_confirmation({"size": status.size, "positions": dict(status.positions)}, as_json, words)


async def _wait(settings: Settings, index: int | None, timeout_s: float | None) -> PipelineStatus:
    pending, standstill = ["PostgreSQL has not responded yet"], Standstill()
    async with PatientConnection(settings, "wait", timeout_s) as database:
        while True:
            try:
                status = await database.ask(lambda connection: read_status(connection, CONSUMERS))
                if status.halted:
                    raise CannotBeReached(status.halted)
                if index is not None:
                    pending = [] if status.applied(index) else [f"entry {index} is not applied everywhere"]
                else:
                    pending = status.pending() or await _unread(settings, status)
                if index is None or pending:
                    standing = status.standing(pending)
                    standstill.look(standing, time.monotonic())
                    pending += standing
                if index is None and not pending:
                    pending = status.not_signed()
                if not pending:
                    return status
                await database.pause()
            except WaitTimedOut as error:
                raise WaitTimedOut("; ".join(pending)) from error


async def _unread(settings: Settings, status: PipelineStatus) -> list[str]:
    try:
        async with asyncio.timeout(_KAFKA_ANSWER_S), end_offsets_reader(settings) as end_offsets:
            return status.unread(await end_offsets(sorted(status.next_offsets)))
    except (SaslAuthenticationFailed, TopicAuthorizationFailedError):
        raise
    except (KafkaError, TimeoutError):
        return ["Kafka does not answer"]
