"""The part of the delivery process that sends e-mails: makes reminders, digests and letters that ask for a
confirmation, and sends what waits, one by one.

Where the server cannot be reached or refuses to work, all e-mails wait and nothing is lost; the reason is logged
once. A fault of one message (a refused address, a text that cannot be written) ends that message alone.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from functools import partial
from typing import Final

import structlog

from consumers.delivery.mail import queue
from consumers.delivery.mail.links import Links
from consumers.delivery.mail.message import BadAddress, Sender, build, checked_address
from consumers.delivery.mail.notices import NotSent, Prepared, prepare
from consumers.delivery.mail.queue import Claimed
from consumers.delivery.mail.smtp import MailNotConfigured, Outcome, SmtpServer, SmtpSession, smtp_server
from consumers.delivery.mail.timed import TimedMessages, ask
from consumers.delivery.secrets import link_key
from events.errors import Halt
from infra.keys.team_seals import TeamSeals
from infra.observability.logs import LogOnce
from infra.observability.telemetry import count
from infra.postgres.connection import Connection
from infra.process.backoff import backoff_s
from infra.process.leader_election import Term
from infra.process.tasks import pause
from infra.settings import Settings
from infra.tls.plaintext import is_loopback

POLL_S: Final = 1.0
TIMED_S: Final = 30.0
"""How often reminders, digests and addresses to be asked are looked for."""
SERVER_WAIT_MIN_S: Final = 5.0
SERVER_WAIT_MAX_S: Final = 300.0

log = structlog.get_logger()


def _utc_now() -> datetime:
    return datetime.now(UTC)


async def work(settings: Settings, term: Term, round_ended: Callable[[], None]) -> None:
    """Until the term's `stop`. Raises `MailNotConfigured`, `PlaintextRefused`, and `Halt` where no link can be made."""
    server = smtp_server(settings)
    if server is None or settings.mail_from is None:
        log.info("no e-mails are sent: YESSER_MAIL_SERVER is not set")
        await term.stop.wait()
        return
    sender = _sender(settings.mail_from, settings.mail_reply_to)
    if settings.public_address is None and not is_loopback(server.host):
        raise Halt("YESSER_MAIL_SERVER is set without YESSER_PUBLIC_ADDRESS: set the address that e-mails link to.")
    links = Links(settings.gateway_address, link_key(settings))
    async with term.connected(settings, "delivery mail") as connection:
        seals = partial(TeamSeals.of, settings)
        post = PostOffice(connection, term.epoch, server, sender, links, seals, settings.console_address)
        timed, next_round = TimedMessages(), 0.0
        await queue.give_back(connection, term.epoch, _utc_now())
        while not term.stop.is_set():
            if time.monotonic() >= next_round:
                await timed.make(connection, term.epoch, _utc_now())
                await ask(connection, term.epoch, _utc_now())
                next_round = time.monotonic() + TIMED_S
            wait_s = await post.send_waiting(term.stop.is_set, round_ended)
            round_ended()
            await pause(term.stop, wait_s)


def _sender(address: str, reply_to: str | None) -> Sender:
    try:
        return Sender(checked_address(address), None if reply_to is None else checked_address(reply_to))
    except BadAddress:
        raise MailNotConfigured(
            "YESSER_MAIL_FROM and YESSER_MAIL_REPLY_TO must each be one address, such as campaigns@yesser.example."
        ) from None


@dataclass(slots=True)
class PostOffice:
    """Sends waiting messages through one server. `clock` gives the time of the database's rows and of the letters."""

    connection: Connection
    epoch: int
    server: SmtpServer
    sender: Sender
    links: Links
    seals: Callable[[], TeamSeals]
    console: str | None = None
    clock: Callable[[], datetime] = _utc_now
    _failures: int = 0
    _no_server: LogOnce = field(
        default_factory=lambda: LogOnce("the mail server takes no e-mails: they wait", "the mail server takes e-mails")
    )

    async def send_waiting(
        self, stopped: Callable[[], bool] = lambda: False, sent: Callable[[], None] = lambda: None
    ) -> float:
        """Send all that is due, and return after how many seconds to look again. Raises `Fenced`."""
        async with aclosing(SmtpSession(self.server)) as session:
            while not stopped():
                claimed = await queue.claim(self.connection, self.epoch, self.clock())
                if claimed is None:
                    return POLL_S
                outcome = await self._send(session, claimed)
                sent()
                if outcome is not None and outcome.result == "no-server":
                    return self._server_failed(outcome)
                if outcome is not None:
                    self._failures = 0
                    self._no_server.ends()
        return POLL_S

    async def _send(self, session: SmtpSession, claimed: Claimed) -> Outcome | None:
        """What became of it; None where it was not to be sent."""
        now = self.clock()
        try:
            prepared = await prepare(self.connection, claimed, now, self.links, self.seals(), self.console)
            message = self._written(prepared, claimed, now)
        except NotSent as error:
            await queue.end(self.connection, self.epoch, claimed, error.state, error.reason, now)
            count("mails", code=error.reason)
            return None
        started = time.perf_counter()
        outcome = await session.send(message)
        latency_ms = round((time.perf_counter() - started) * 1000)
        now = self.clock()
        found = queue.verdict(claimed, outcome, now, random.random())  # noqa: S311 - spreads waits, no secret
        await queue.record(self.connection, self.epoch, claimed, outcome, found, now, latency_ms)
        count("mails", code=outcome.result)
        if found.state == "failed":
            log.warning(
                "an e-mail failed",
                message=claimed.message_id,
                kind=claimed.kind,
                reason=found.error,
                status=outcome.status,
            )
        return outcome

    def _written(self, prepared: Prepared, claimed: Claimed, now: datetime) -> EmailMessage:
        """The message. Raises `NotSent` for one that cannot be written: it holds up no other."""
        try:
            message = build(prepared.letter, claimed, self.sender, prepared.recipient, now)
            message.as_bytes()  # what cannot be sent fails here
        except Exception as error:
            ids = {"message": claimed.message_id, "kind": claimed.kind}
            log.error("an e-mail cannot be written", **ids, exc_info=error)
            raise NotSent("failed", "cannot-be-written") from error
        return message

    def _server_failed(self, outcome: Outcome) -> float:
        self._failures += 1
        self._no_server.begins(status=outcome.status, reason=outcome.answer)
        return backoff_s(self._failures, random.random(), SERVER_WAIT_MIN_S, SERVER_WAIT_MAX_S)  # noqa: S311
