"""A letter as an e-mail: plain text and HTML, headers that cannot be injected, and an id that a repeat keeps.

Ids are derived from what the message is about and never from the attempt, so that a mail program can recognise a
repeat, and so that all messages about one campaign are one thread.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from hashlib import sha256
from typing import Final

from consumers.delivery.email_address import checked_address
from consumers.delivery.mail.letters import Letter
from consumers.delivery.mail.wording import STOP
from consumers.delivery.plain_text import line
from consumers.delivery.sending.route import Message
from infra.http.templates import templates


class _OnOneLine(UnstructuredHeader, BaseHeader):
    """The library would write a long link as an encoded word (RFC 2047), which no mail program opens."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


_HEADERS: Final = HeaderRegistry()
_HEADERS.map_to_type("list-unsubscribe", _OnOneLine)
_POLICY: Final = SMTP.clone(cte_type="7bit", header_factory=_HEADERS)
"""Base64 or quoted-printable: a server without 8BITMIME takes it too."""
_HEADER_MAX: Final = 500
_ID_CHARACTERS: Final = 32
_TEMPLATES: Final = templates("consumers.delivery.mail")
_DATE: Final = re.compile(
    r"<title>.*?</title>|<[^>]*>|\b[0-9]{4}-[0-9]{2}-[0-9]{2}(?: [0-9]{2}:[0-9]{2})?\b", re.DOTALL
)
"""A date or a moment in the text of a page, and what is no text."""


@dataclass(frozen=True, slots=True)
class Sender:
    """The platform's own addresses."""

    address: str
    reply_to: str | None = None

    @property
    def domain(self) -> str:
        return checked_address(self.address).rpartition("@")[2]


def build(letter: Letter, about: Message, sender: Sender, recipient: str, now: datetime) -> EmailMessage:
    """The whole message. What may be a repeat is named in a header. Raises `BadAddress`."""
    message = EmailMessage(_POLICY)
    message["From"] = Address(addr_spec=checked_address(sender.address))
    message["To"] = Address(addr_spec=checked_address(recipient))
    if sender.reply_to is not None:
        message["Reply-To"] = Address(addr_spec=checked_address(sender.reply_to))
    message["Subject"] = _header(letter.subject)
    message["Date"] = now
    message["Message-ID"] = message_id(about, sender)
    if about.campaign_id is not None:  # all refer to one id, whether or not the team got the trigger by mail
        root = f"<{_digest('campaign', about.agency, about.team, about.campaign_id)}@{sender.domain}>"
        message["In-Reply-To"] = root
        message["References"] = root
    # RFC 3834: no absence notes in answer.
    message["Auto-Submitted"] = "auto-generated"
    message["List-Unsubscribe"] = f"<{letter.stop}>"
    if letter.stop.startswith("https://"):  # RFC 8058 wants it: a mail program posts there by itself
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message["Yesser-Event"] = _header(about.event_id)
    if about.campaign_id is not None:
        message["Yesser-Campaign"] = _header(about.campaign_id)
    if about.unknown:
        message["Yesser-Repeat"] = str(1 + about.unknown)
    message.set_content(_written(letter, "letter.txt"))
    message.add_alternative(_DATE.sub(_unbroken, _written(letter, "letter.html")), subtype="html")
    return message


def message_id(about: Message, sender: Sender) -> str:
    """`<hash@domain>`, the same in each attempt. Each replay has its own."""
    part = str(about.message_id) if about.replay else ""
    named = (about.agency, about.team, about.kind, about.event_id, part)
    return f"<{_digest(*named)}@{sender.domain}>"


def _header(text: str) -> str:
    """One line that is no encoded word (RFC 2047): the library would decode one, with the line breaks in it."""
    return line(text, _HEADER_MAX).replace("=?", "= ?")


def _digest(*parts: str) -> str:
    return sha256("\x00".join(parts).encode()).hexdigest()[:_ID_CHARACTERS]


def _written(letter: Letter, name: str) -> str:
    return _TEMPLATES.get_template(name).render(letter=letter, stop_words=STOP)


def _unbroken(found: re.Match[str]) -> str:
    """A narrow window would break a date at its hyphens."""
    return found[0] if found[0].startswith("<") else f'<span style="white-space:nowrap">{found[0]}</span>'
