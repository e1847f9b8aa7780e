"""The relay: sends the platform's events to its own topic, and the log's entries about campaigns to the campaign teams.
It also commits to the read models when that is due (`consumers/commitments/scheduler.py`), and asks the log's witnesses
for cosignatures (`consumers/cosigning/cosigning.py`).

One relay works, by lease; the others stand by. The messages of a source are sent in order, one record batch after
another, each acknowledged before the next. Only then, and only under the relay's epoch, are their rows marked as sent.
A relay that was stopped and continued can therefore at worst repeat messages, which the registrar recognises by the
event's id. A topic that cannot be written fails alone: its position stays, and it is tried again (`sending.py`). Any
other error ends the term; the next one starts from the rows (`infra.process.leader_election`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import aclosing
from functools import partial
from typing import Final

import structlog

from consumers.commitments.scheduler import CommitmentScheduler
from consumers.cosigning.cosigning import Cosigning, witness_policy
from consumers.relay.agency_topics import AgencyTopics
from consumers.relay.outbox_source import Message, OutboxSource
from consumers.relay.sending import TopicSender, UnwrittenTopics
from consumers.relay.triggers import CampaignTriggers
from events.wire.codec import STRUCTURED_HEADERS
from infra.kafka.client_config import agency_topic
from infra.observability.telemetry import count, gauge
from infra.postgres.connection import Connection, connect
from infra.postgres.outbox import PLATFORM
from infra.postgres.sql import queries
from infra.process.health import Progress, Readiness
from infra.process.leader_election import LeaderElection, Parts, Term
from infra.process.lease import LeaseSpec
from infra.process.tasks import pause, until_one_ends
from infra.settings import Settings

LEASE: Final = "relay"
MESSAGES_MAX: Final = 1_000
"""Most rows read and sent before they are marked as sent."""

_OUTBOX: Final = queries("infra.postgres", "outbox.sql")

log = structlog.get_logger()


class PlatformOutbox:
    """The platform's outbox; its rows go to the platform's topic."""

    topic: Final = agency_topic(PLATFORM)
    channel: Final = "yesser_outbox"

    async def unsent(self, connection: Connection, limit: int) -> list[Message]:
        """The committed rows, in row order."""
        rows = await connection.fetch(_OUTBOX["next"], limit)
        gauge("outbox_waiting", len(rows) if len(rows) < limit else await connection.fetchval(_OUTBOX["waiting"]))
        headers = tuple(STRUCTURED_HEADERS)
        return [Message(row_id, key.encode(), value, headers) for row_id, key, value in rows]

    async def sent(self, connection: Connection, messages: Sequence[Message], epoch: int) -> None:
        """Delete the rows that the topic has acknowledged."""
        await connection.execute(_OUTBOX["sent"], [message.position for message in messages], epoch)
        count("outbox_sent", len(messages))


class Relay:
    """Stands by for the lease, and sends while it holds it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings = settings.acting_as("relay")
        self._policy = witness_policy(settings.witness_policy)
        self.sources: tuple[OutboxSource, ...] = (PlatformOutbox(), CampaignTriggers(settings))
        spec = LeaseSpec(LEASE, lambda application: connect(settings, application))
        progress = Progress(time.monotonic, positions=False)
        self._election = LeaderElection(settings, spec, self._work, progress)
        self._parts = Parts(self._election.moved)

    @property
    def epoch(self) -> int | None:
        """The epoch of its lease; None while it stands by."""
        return self._election.epoch

    def readiness(self) -> Readiness:
        """Ready while it stands by, or has recently sent messages or found none to send."""
        return self._election.progress.readiness()

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
        log.info("relaying", epoch=term.epoch)
        try:
            await until_one_ends(
                *(self._parts.run(s.topic, partial(self._send_from, s, unwritten, term)) for s in self.sources),
                self._parts.run("agencies", agencies.run),
            )
        finally:
            unwritten.end()

    async def _send_from(self, source: OutboxSource, unwritten: UnwrittenTopics, term: Term) -> None:
        sender = TopicSender(self.settings, source.topic)
        async with term.connected(self.settings, f"relay {source.topic}") as connection, aclosing(sender):
            woken = asyncio.Event()
            poll_ms = self.settings.poll_timeout_ms
            if source.channel is not None:
                await connection.add_listener(source.channel, lambda *_: woken.set())
                poll_ms = self.settings.lease_renew_ms
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
                    await pause(woken, poll_ms / 1000)

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
