"""The links in a letter: what they are made of. A token is a keyed hash; the database has the token's hash alone."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Final, Literal

from consumers.delivery.recipients import SQL, Recipient
from infra.postgres.connection import Connection

PATH: Final = "/mail"
TOKEN_PATTERN: Final = r"^[A-Za-z0-9_-]{43}$"  # noqa: S105 - a form, no token

Action = Literal["confirm", "stop", "resume"]


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
