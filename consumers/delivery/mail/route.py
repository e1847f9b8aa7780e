"""The route of e-mails: one destination, the mail server, which takes one message after another on one connection.

Where the server cannot be reached or refuses to work, all e-mails wait and nothing is lost; the reason is logged
once. A fault of one message (a refused address, a text that cannot be written) ends that message alone.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from functools import partial
from typing import Final

import structlog

from consumers.delivery.email_address import BadAddress, checked_address
from consumers.delivery.mail.message import Sender, build
from consumers.delivery.mail.notices import VALID, NotSent, prepare, unknown_max
from consumers.delivery.mail.smtp import MailNotConfigured, SmtpServer, SmtpSession, smtp_server
from consumers.delivery.recipients import Links
from consumers.delivery.secrets import link_key
from consumers.delivery.sending import sender
from consumers.delivery.sending.route import Attempt, Limits, Message, NextStep, Outcome, Route
from events.errors import Halt
from infra.clock import backoff_s
from infra.keys.team_seals import TeamSeals
from infra.observability.logs import LogOnce
from infra.observability.telemetry import count
from infra.postgres.connection import Connection
from infra.process.leader_election import Term
from infra.settings import Settings
from infra.tls.plaintext import is_loopback

WAIT_MIN_S: Final = 60.0
WAIT_MAX_S: Final = 3_600.0

log = structlog.get_logger()


async def send(settings: Settings, term: Term, round_ended: Callable[[], None]) -> None:
    """A part of the delivery process: sends e-mails, until the term's `stop`. Raises `MailNotConfigured`,
    `PlaintextRefused`, and `Halt` where no link can be made."""
    server = smtp_server(settings)
    if server is None or settings.mail_from is None:
        log.info("no e-mails are sent: YESSER_MAIL_SERVER is not set")
        await term.stop.wait()
        return
    by = _sender(settings.mail_from, settings.mail_reply_to)
    if settings.public_address is None and not is_loopback(server.host):
        raise Halt("YESSER_MAIL_SERVER is set without YESSER_PUBLIC_ADDRESS: set the address that e-mails link to.")
    links = Links(settings.gateway_address, link_key(settings))
    letters = Letters(server, by, links, partial(TeamSeals.of, settings), lambda: settings.mailed_console)
    async with term.connected(settings, "delivery mail") as connection:
        await sender.Sender(letters, term, connection).run(round_ended, settings.lease_renew_ms / 1000)


def _sender(address: str, reply_to: str | None) -> Sender:
    try:
        return Sender(checked_address(address), None if reply_to is None else checked_address(reply_to))
    except BadAddress:
        raise MailNotConfigured(
            "YESSER_MAIL_FROM and YESSER_MAIL_REPLY_TO must each be one address, such as campaigns@yesser.example."
        ) from None


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is sent at a moment, or why nothing is."""

    at: datetime
    letter: EmailMessage | NotSent


class Letters(Route[Prepared]):
    """Letters through one server. An attempt is counted before it is made: what may be a repeat says so."""

    name = "email"

    def __init__(
        self,
        server: SmtpServer,
        by: Sender,
        links: Links,
        seals: Callable[[], TeamSeals],
        console: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._session = SmtpSession(server)
        self._by = by
        self._links = links
        self._seals = seals
        self._console = console
        self._no_server = LogOnce("the mail server takes no e-mails: they wait", "the mail server takes e-mails")
        self.limits = Limits(
            in_flight_max=1,
            each_max=1,
            ready_max=1,
            rests_after=1,
            lane_wait=None,
            wait_max=timedelta(seconds=WAIT_MAX_S),
            finish_s=server.timeout_s,
            counts_first=True,
        )

    async def load(self, connection: Connection, messages: Sequence[Message], now: datetime) -> Sequence[Prepared]:
        return [Prepared(now, await self._letter(connection, message, now)) for message in messages]

    async def attempt(self, message: Message, content: Prepared) -> Attempt:
        if isinstance(content.letter, NotSent):
            count("mails", code=content.letter.reason)
            outcome = Outcome(None, content.letter.reason, 0)
            return Attempt(message, content.at, outcome, NextStep(content.letter.state))
        outcome = await self._session.send(content.letter)
        count("mails", code=outcome.error or "accepted")
        if self.is_failing(outcome):
            self._no_server.begins(status=outcome.status, reason=outcome.answer.decode())
        else:
            self._no_server.ends()
        decided = verdict(message, outcome, content.at, random.random())  # noqa: S311 - spreads waits, no secret
        if decided.state == "failed":
            ids = {"message": message.message_id, "kind": message.kind}
            log.warning("an e-mail failed", **ids, reason=outcome.error, status=outcome.status)
        return Attempt(message, content.at, outcome, decided)

    def is_failing(self, outcome: Outcome) -> bool:
        return outcome.error == "no-server"

    async def release(self, destinations: Collection[str]) -> None:
        if destinations:
            await self._session.aclose()

    async def _letter(self, connection: Connection, message: Message, now: datetime) -> EmailMessage | NotSent:
        try:
            letter, recipient = await prepare(connection, message, now, self._links, self._seals(), self._console())
        except NotSent as error:
            return error
        try:
            written = build(letter, message, self._by, recipient, now)
            written.as_bytes()  # what cannot be sent fails here
        except Exception as error:  # it holds up no other
            ids = {"message": message.message_id, "kind": message.kind}
            log.error("an e-mail cannot be written", **ids, exc_info=error)
            return NotSent("failed", "cannot-be-written")
        return written


def verdict(message: Message, outcome: Outcome, now: datetime, chance: float) -> NextStep:
    """`chance` is in [0, 1) and spreads the waits."""
    if outcome.delivered:
        return NextStep("delivered")
    if outcome.error == "no-server":  # of no message: the server rests
        return NextStep("waiting")
    may_have_arrived_often = outcome.error == "unknown" and message.unknown + 1 >= unknown_max(message)
    if outcome.error == "refused" or may_have_arrived_often or now - message.created_at >= VALID:
        return NextStep("failed")
    return NextStep("waiting", backoff_s(message.attempts + 1, chance, WAIT_MIN_S, WAIT_MAX_S))
