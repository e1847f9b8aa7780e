"""The relay: sends the platform's events to its own topic, and the log's entries about campaigns to the campaign teams.
It also commits to the read models when that is due (`proof/commitments/commitment.py`), and asks the log's witnesses
for cosignatures (`consumers/proof/cosigning/cosigning.py`).

One relay works, by lease; the others stand by. The messages of a source are sent in order, one record batch after
another, each acknowledged before the next. Only then, and only under the relay's epoch, are their rows marked as sent.
A relay that was stopped and continued can therefore at worst repeat messages, which the registrar recognises by the
event's id. A topic that cannot be written fails alone: its position stays, and it is tried again later. Any
other error ends the term; the next one starts from the rows (`infra.process.leader_election`). Where the database is an
older copy, nothing is sent before `yesser recover`: what is decided on its rows was decided before.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import aclosing
from functools import partial
from typing import Final

import structlog

from consumers.proof.commitments.commitment import CommitmentScheduler
from consumers.proof.cosigning.cosigning import Cosigning, witness_policy
from consumers.registrar.guards.continuation import require_whole_log
from consumers.relay.agency_topics import AgencyTopics, CampaignTriggers, Message, TopicSender, UnwrittenTopics
from events.errors import Halt
from events.validation.verdicts import Agency
from events.wire.codec import STRUCTURED_HEADERS
from infra.kafka.client_config import agency_topic
from infra.observability.telemetry import count, gauge
from infra.postgres.connection import Connection, connect
from infra.postgres.outbox import PLATFORM, fault_of
from infra.postgres.sql import queries
from infra.process.health import Progress, Readiness
from infra.process.leader_election import LeaderElection, LeaderParts, Term
from infra.process.lease import LeaseSpec
from infra.process.tasks import pause, until_one_ends
from infra.settings import Settings

LEASE: Final = "relay"
CLAIM_PREFIX: Final = Agency(PLATFORM, "platform").claim_prefix
MESSAGES_MAX: Final = 1_000
"""Most rows read and sent before they are marked as sent."""

COUNT_EVERY_S: Final = 1.0
"""Least time between two counts of the held decisions."""

_DATABASE: Final = queries("consumers.relay", "database.sql")
_OUTBOX: Final = queries("infra.postgres", "outbox.sql")
_DECISIONS: Final = queries("consumers.relay", "decisions.sql")

log = structlog.get_logger()


class NotDecided(Halt):
    """A row of the outbox does not hold what it says: somebody else wrote it."""


class PlatformOutbox:
    """The platform's outbox; its rows go to the platform's topic."""

    topic: Final = agency_topic(PLATFORM)
    channel: Final = "yesser_outbox"
    held_count = 0
    """Decisions that wait for a person."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._counted_s = -COUNT_EVERY_S

    async def unsent(self, connection: Connection, limit: int) -> list[Message]:
        """The committed rows, in row order, without those that were decided again on recovered entries. Raises
        `NotDecided`, and sends none of them, where one was not decided by the process that may."""
        rows = await connection.fetch(_OUTBOX["next"], limit)
        while recovered := [row["row_id"] for row in rows if row["is_recovered"]]:
            held = await connection.fetch(_OUTBOX["hold"], recovered, CLAIM_PREFIX)
            if held:
                log.warning(
                    "decided again on recovered entries, and not in the log: held (`yesser decisions list`)",
                    events=[row["event_id"] for row in held],
                )
            rows = await connection.fetch(_OUTBOX["next"], limit)
        await self._count(connection)
        gauge("outbox_waiting", len(rows) if len(rows) < limit else await connection.fetchval(_OUTBOX["waiting"]))
        headers = tuple(STRUCTURED_HEADERS)
        for row in rows:
            if fault := fault_of(row):
                raise NotDecided(
                    f"row {row['row_id']} of platform.outbox was not written by the process that decides such events:"
                    f" {fault}; nothing is sent. Suspect tampering, and see docs/runbook.md"
                )
        return [Message(row["row_id"], row["key"].encode(), row["value"], headers) for row in rows]

    async def _count(self, connection: Connection) -> None:
        now_s = self._clock()
        if now_s - self._counted_s >= COUNT_EVERY_S:
            self._counted_s = now_s
            self.held_count = await connection.fetchval(_DECISIONS["count_held"], CLAIM_PREFIX)
            gauge("decisions_held", self.held_count)
            for age, waiting in await connection.fetch(_DATABASE["watched"]):
                gauge("transaction_id_age", age)
                gauge("wal_waiting_bytes", waiting)

    async def sent(self, connection: Connection, messages: Sequence[Message], epoch: int) -> None:
        """Delete the rows that the topic has acknowledged."""
        await connection.execute(_OUTBOX["sent"], [message.position for message in messages], epoch)
        count("outbox_sent", len(messages))


Source = PlatformOutbox | CampaignTriggers
"""Rows in PostgreSQL, sent to one topic in their order: each once at least. A NOTIFY on its `channel` announces new
ones; `sent` has no effect once the relay of the epoch was superseded."""


class Relay:
    """Stands by for the lease, and sends while it holds it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings = settings.acting_as("relay")
        self._policy = witness_policy(settings.witness_policy)
        self._outbox = PlatformOutbox()
        self.sources: tuple[Source, ...] = (self._outbox, CampaignTriggers(settings))
        spec = LeaseSpec(LEASE, lambda application: connect(settings, application))
        progress = Progress(time.monotonic, positions=False)
        self._election = LeaderElection(settings, spec, self._work, progress)
        self._parts = LeaderParts(self._election.moved)

    @property
    def epoch(self) -> int | None:
        """The epoch of its lease; None while it stands by."""
        return self._election.epoch

    def readiness(self) -> Readiness:
        """Ready while it stands by, or has recently sent messages or found none to send."""
        readiness = self._election.progress.readiness()
        held = {"decisions_held": self._outbox.held_count} if self._outbox.held_count else {}
        return Readiness(readiness.ready, readiness.details | held, readiness.healthy)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`."""
        await self._election.run(stop)

    async def _work(self, term: Term) -> None:
        parts = self._parts
        scheduler = CommitmentScheduler(self.settings, term, lambda: parts.ended("commitments"))
        cosigning = Cosigning(self.settings, self._policy, term, lambda: parts.ended("witnesses"))
        await until_one_ends(
            parts.run("sending", partial(self._send_all, term)),
            parts.run("commitments", scheduler.run),
            parts.run("witnesses", cosigning.run),
            term.stop.wait(),
        )

    async def _send_all(self, term: Term) -> None:
        unwritten = UnwrittenTopics(self.settings, self._alarm)
        agencies = AgencyTopics(self.settings, term, unwritten, self._looked, lambda: self._sent("agencies"))
        await require_whole_log(self.settings)
        log.info("relaying", epoch=term.epoch)
        try:
            await until_one_ends(
                *(self._parts.run(s.topic, partial(self._send_from, s, unwritten, term)) for s in self.sources),
                self._parts.run("agencies", agencies.run),
            )
        finally:
            unwritten.end()

    async def _send_from(self, source: Source, unwritten: UnwrittenTopics, term: Term) -> None:
        sender = TopicSender(self.settings, source.topic)
        async with term.connected(self.settings, f"relay {source.topic}") as connection, aclosing(sender):
            woken = asyncio.Event()
            await connection.add_listener(source.channel, lambda *_: woken.set())
            while True:
                woken.clear()
                messages = await source.unsent(connection, MESSAGES_MAX)
                wait_s = await self._send(sender, messages, unwritten)
                if messages and wait_s is None:
                    await source.sent(connection, messages, term.epoch)
                self._looked()
                self._sent(source.topic)
                if wait_s is not None:
                    await asyncio.sleep(wait_s)
                elif len(messages) < MESSAGES_MAX:
                    await pause(woken, self.settings.lease_renew_ms / 1000)

    async def _send(self, sender: TopicSender, messages: Sequence[Message], unwritten: UnwrittenTopics) -> float | None:
        """None once they are acknowledged; else after how many seconds to try again."""
        try:
            if messages:
                await sender.send(messages)
        except Exception as error:
            return unwritten.failed(sender.topic, error)
        unwritten.written(sender.topic)
        return None

    def _alarm(self, reason: str | None) -> None:
        self._election.progress.alarm = reason

    def _looked(self) -> None:
        self._election.progress.begin()

    def _sent(self, source: str) -> None:
        """A round of this source was good, but for topics that fail alone."""
        self._parts.ended("sending")
        self._parts.ended(source)
