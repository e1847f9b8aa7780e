"""Which addresses of a team may get letters: confirmed ones and those of the agency's domains, unless their reader
stopped them. What sends to a contact asks here.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Final, Literal

from consumers.documents.document import documents_of
from consumers.documents.teams.teams import Address, AddressState, NotSent
from infra.keys.team_seals import TeamSeals
from infra.postgres.connection import Connection
from infra.postgres.sql import queries

SQL: Final = queries("consumers.delivery", "recipients.sql")
PATH: Final = "/mail"
TOKEN_PATTERN: Final = r"^[A-Za-z0-9_-]{43}$"  # noqa: S105 - a form, no token
Action = Literal["confirm", "stop", "resume"]
NOT_SENT_MAX: Final = 20
"""E-mails that were not sent, as a team's list shows them."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """An address of a team, and what its reader decided. `recipient_id`: None until the delivery process knows it."""

    address: str
    added_at: datetime
    is_own_domain: bool
    recipient_id: int | None
    created_at: datetime | None
    usable_until: datetime | None
    confirmed_at: datetime | None
    stopped_at: datetime | None

    @property
    def state(self) -> AddressState:
        if self.stopped_at is not None:
            return AddressState.STOPPED
        if self.is_own_domain:
            return AddressState.REGISTERED_DOMAIN
        return AddressState.WAITING if self.confirmed_at is None else AddressState.CONFIRMED

    def may_get_letters(self, now: datetime) -> bool:
        """An address from before there were confirmations may, for a while, without one."""
        if self.state is AddressState.WAITING:
            return self.usable_until is not None and now < self.usable_until
        return self.state is not AddressState.STOPPED

    def document(self, now: datetime) -> Address:
        since = {
            AddressState.STOPPED: self.stopped_at,
            AddressState.CONFIRMED: self.confirmed_at,
            AddressState.WAITING: self.created_at,
        }
        waits = self.state is AddressState.WAITING and self.may_get_letters(now)
        return Address(
            address=self.address,
            state=self.state,
            since=since.get(self.state) or self.added_at,
            used_until=self.usable_until if waits else None,
        )


async def recipients_of(connection: Connection, agency: str, team: str) -> Sequence[Recipient]:
    """The team's addresses, the one that is written to first being first."""
    return [Recipient(**dict(row)) for row in await connection.fetch(SQL["recipients"], agency, team)]


async def is_team_sealed(connection: Connection, seals: TeamSeals, agency: str, team: str) -> bool:
    """Whether the team and its addresses are those that the team gave."""
    row = await connection.fetchrow(SQL["team_and_contacts"], agency, team)
    return row is not None and seals.is_sealed("delivery.team", row)


async def not_sent(connection: Connection, agency: str, team: str) -> list[NotSent]:
    """The newest e-mails to the team that were not sent."""
    return documents_of(NotSent, await connection.fetch(SQL["not_sent"], agency, team, NOT_SENT_MAX))


@dataclass(frozen=True, slots=True)
class Links:
    """Makes links of the gateway at `address`, under the key of `delivery.secrets.link_key`."""

    address: str
    key: bytes = field(repr=False)

    async def add(
        self,
        connection: Connection,
        recipient: Recipient,
        action: Action,
        about: str = "",
        until: datetime | None = None,
    ) -> str:
        """The link by which the reader of this address does something, from now on; the same for the same arguments."""
        named = (action, str(recipient.recipient_id), recipient.address.lower(), about)
        digest = hmac.digest(self.key, "\n".join(named).encode(), sha256)
        token = urlsafe_b64encode(digest).decode().rstrip("=")
        await connection.execute(SQL["add_link"], token_hash(token), recipient.recipient_id, action, until)
        return f"{self.address}{PATH}/{action}?token={token}"


def token_hash(token: str) -> bytes:
    """Without a key: nobody guesses 256 bits from it."""
    return sha256(token.encode()).digest()
