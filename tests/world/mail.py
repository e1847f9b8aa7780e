"""A real SMTP server of the test's own, what it received, and the sender of a team's e-mails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from consumers.delivery.mail.message import Sender
from consumers.delivery.mail.route import Letters
from consumers.delivery.mail.smtp import SmtpServer
from consumers.delivery.recipients import Links
from consumers.delivery.routing.matching import KINDS
from consumers.delivery.sending import sender
from infra.postgres.connection import Connection, connected
from infra.process import lease
from infra.process.leader_election import Term
from infra.settings import Settings
from infra.tls.certificate_files import TlsFiles
from tests.team_seals import SEALS, seal_rows
from tests.world.story import Story

SENDER = Sender("campaigns@yesser.example", "office@yesser.example")
LINKS = Links("https://gateway.example", bytes(32))
FIRST, SECOND = "press@health.example", "head-of-press@health.example"
TIMEOUT_S = 0.5


@dataclass
class MailServer:
    """Accepts everything, unless told otherwise: `refusals` by recipient, `answer` to the content of each message.

    It cuts the connection after the content of the next `drops` messages, which it keeps. `port` is set while it runs.
    """

    port: int = 0
    received: list[tuple[str, bytes]] = field(default_factory=list)
    refusals: dict[str, str] = field(default_factory=dict)
    answer: str | None = None
    drops: int = 0
    stall_s: float = 0.0
    sessions: int = 0

    async def handle_EHLO(  # noqa: N802 - named by the library
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.sessions += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.answer is not None:
            return self.answer
        content = envelope.content
        assert isinstance(content, bytes)
        self.received.append((envelope.rcpt_tos[0], content))
        await asyncio.sleep(self.stall_s)
        if self.drops > 0:
            self.drops -= 1
            assert isinstance(server.transport, asyncio.WriteTransport)
            server.transport.abort()
        return "250 queued"

    @property
    def messages(self) -> list[EmailMessage]:
        """What was received, parsed again by the standard library."""
        return [message_from_bytes(content, policy=default) for _, content in self.received]

    @property
    def kinds(self) -> list[tuple[str, str]]:
        """Recipient and event of each message."""
        return [
            (to, str(message["Yesser-Event"])) for (to, _), message in zip(self.received, self.messages, strict=True)
        ]


@asynccontextmanager
async def mail_server(port: int = 0, **options: Any) -> AsyncIterator[MailServer]:
    """Runs on a free port of this machine."""
    mails = MailServer()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(mails, hostname="mail.test", loop=loop, **options), "127.0.0.1", port
    )
    mails.port = server.sockets[0].getsockname()[1]
    try:
        yield mails
    finally:
        server.close()
        await server.wait_closed()


def smtp(mails: MailServer, **more: Any) -> SmtpServer:
    arguments = {"tls": "none", "user": None, "password": None, "ca": TlsFiles(None), "timeout_s": TIMEOUT_S} | more
    return SmtpServer("127.0.0.1", mails.port, **arguments)


def text_of(message: EmailMessage) -> str:
    """A message for people who read no HTML."""
    body = message.get_body(("plain",))
    assert body is not None
    text: str = body.get_content()
    return text


def at(text: str) -> datetime:
    """An instant, such as `2026-11-15T08:00+03:00`."""
    return datetime.fromisoformat(text)


@dataclass
class Desk:
    """The sender of e-mails at work on the test's database, by a clock that the test sets. `own`: its connection."""

    settings: Settings
    superuser: Connection
    mails: MailServer
    own: Connection
    route: Letters
    epoch: int
    now: datetime
    _sender: sender.Sender = field(init=False)

    def __post_init__(self) -> None:
        self.begin_term(self.epoch)

    def begin_term(self, epoch: int) -> None:
        """What follows is by a process that knows nothing of before."""
        self.epoch = epoch
        self._sender = sender.Sender(self.route, Term(epoch, asyncio.Event()), self.own, self._clock)

    async def _clock(self, _: Connection) -> datetime:
        return self.now

    async def send(self) -> float:
        """All that is due; returns the wait until the next message is."""
        await self._sender.begin()
        while True:
            wait_s = await self._sender.round()
            if self._sender.requests:
                await asyncio.wait(self._sender.requests)
            elif wait_s > 0:
                return wait_s

    async def put(self, kind: str, event_id: str, **more: Any) -> None:
        """A message row as the router writes one."""
        row = {"subscription_id": 1, "campaign_id": None, "log_index": None, "lane": "S", "endpoint_id": None} | more
        await self.superuser.execute(
            "INSERT INTO delivery.message (route, agency, team, kind, event_id, subscription_id, campaign_id,"
            " log_index, lane, endpoint_id, created_at, next_attempt_at)"
            " VALUES ('email', 'health', 'press', $1, $2, $3, $4, $5, $6, $7, $8, $8)",
            *(kind, event_id, *row.values(), self.now),
        )

    async def put_entries(self, story: Story) -> None:
        """A row for each entry about a campaign of health."""
        for entry in story.entries:
            if "campaign" in entry.type and entry.data.get("owner", "health") == "health":
                campaign_id = entry.data["campaign_id"]
                await self.put(KINDS[entry.type], entry.id, campaign_id=campaign_id, log_index=entry.index)

    async def states(self) -> list[tuple[str, str, int]]:
        """Kind, state and attempts of each message."""
        rows = await self.superuser.fetch("SELECT kind, state, attempts FROM delivery.message ORDER BY message_id")
        return [(row["kind"], row["state"], row["attempts"]) for row in rows]

    async def errors(self) -> list[tuple[int | None, str | None]]:
        """Status and error of each attempt."""
        rows = await self.superuser.fetch("SELECT status, error FROM delivery.attempt ORDER BY message_id, number")
        return [(row["status"], row["error"]) for row in rows]


@asynccontextmanager
async def desk(
    settings: Settings, connection: Connection, mails: MailServer, now: datetime, console: str | None = None
) -> AsyncIterator[Desk]:
    """The sender with the rights of its own role."""
    epoch = await epoch_of(connection, settings)
    async with connected(settings.acting_as("delivery"), "mail") as own:
        route = Letters(smtp(mails), SENDER, LINKS, lambda: SEALS, lambda: console)
        yield Desk(settings, connection, mails, own, route, epoch, now)
        await route.release(["email"])


async def add_team(
    connection: Connection, *contacts: str, agency: str = "health", domain: str | None = "health.example"
) -> None:
    """Team `press` with a subscription to everything by e-mail. Addresses of `domain` need no confirmation."""
    if domain is not None:
        await connection.execute("INSERT INTO delivery.agency_domain VALUES ($1, $2)", agency, domain)
    name = {"ar": "مكتب الصحافة", "en": "Press desk"}
    await connection.execute(
        "INSERT INTO delivery.team (agency, team, name, language, created_at)"
        " VALUES ($1, 'press', $2, 'ar', '2020-01-01')",
        *(agency, name),
    )
    await put_contacts(connection, *contacts, agency=agency)
    await connection.execute(
        "INSERT INTO delivery.subscription (agency, team, route, from_index) VALUES ($1, 'press', 'email', 0)", agency
    )
    await seal_rows(connection)


async def put_contacts(
    connection: Connection, *contacts: str, agency: str = "health", team: str = "press", at: datetime | None = None
) -> None:
    """All the addresses of a team, saved at a moment. The team is made where it is not there; nothing is sealed."""
    await connection.execute(
        "INSERT INTO delivery.team (agency, team, name) VALUES ($1, $2, '{}') ON CONFLICT DO NOTHING", agency, team
    )
    await connection.execute("DELETE FROM delivery.contact WHERE (agency, team) = ($1, $2)", agency, team)
    await connection.execute(
        "INSERT INTO delivery.contact (agency, team, rank, address, added_at) SELECT $1, $2, rank, address,"
        " coalesce($4, clock_timestamp()) FROM unnest($3::text[]) WITH ORDINALITY AS given (address, rank)",
        *(agency, team, contacts, at),
    )


async def epoch_of(connection: Connection, settings: Settings, owner: str = "test") -> int:
    """The epoch of a new owner of the delivery's lease."""
    await connection.execute("UPDATE platform.lease SET expires_at = '-infinity' WHERE name = 'delivery'")
    epoch = await lease.claim(connection, "delivery", owner, settings)
    assert epoch is not None
    return epoch
