"""The connection to the SMTP server, and what became of a message: accepted, refused, later, unknown, or no server.

After the content was sent, only the server's answer says whether it has the message. Without one the outcome is
unknown: the next attempt may be a repeat, and says so.
"""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from email.message import EmailMessage
from email.utils import parseaddr
from ssl import SSLError
from typing import Final, Literal

import aiosmtplib

from consumers.delivery.sending.route import Outcome
from events.errors import YesserError
from infra.settings import Settings
from infra.tls.certificate_files import TlsFiles
from infra.tls.client import client_context
from infra.tls.plaintext import is_loopback, refuse_plaintext

PASSWORD_FILE: Final = "smtp"  # noqa: S105 - the name of a file
ANSWER_BYTES_MAX: Final = 1_024
_TEMPORARY: Final = 400
_PERMANENT: Final = 500
_POLICY: Final = b"5.7."
"""The enhanced codes of RFC 3463 about what the sender may do: corrected on the server, so the message waits."""
_STEPS: Final = 4
"""A connection has this many steps within the timeout of each: connect, greet, encrypt, log in."""

Error = Literal["refused", "later", "unknown", "no-server"]
"""`refused`: permanently, for this message alone. `no-server`: it was never asked about this message."""


class MailNotConfigured(YesserError):
    """A setting for e-mail is missing or contradicts another; the message names it."""


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where and how to connect."""

    host: str
    port: int
    tls: Literal["starttls", "tls", "none"]
    user: str | None
    password: str | None = field(repr=False)
    ca: TlsFiles
    timeout_s: float


def smtp_server(settings: Settings) -> SmtpServer | None:
    """The server of the settings, None without one. Raises `MailNotConfigured` and `PlaintextRefused`."""
    if settings.mail_server is None:
        return None
    host, _, port = settings.mail_server.rpartition(":")
    host = host.strip("[]")
    if not host or not port.isdecimal():
        raise MailNotConfigured("YESSER_MAIL_SERVER must be host:port, such as mail.example:587.")
    if settings.mail_from is None:
        raise MailNotConfigured("YESSER_MAIL_SERVER is set without YESSER_MAIL_FROM: set the sender's address.")
    tls = settings.mail_tls or ("none" if is_loopback(host) else "starttls")
    if tls == "none":
        refuse_plaintext(
            settings, "smtp", "E-mail to the server in YESSER_MAIL_SERVER", [host], "set YESSER_MAIL_TLS=starttls"
        )
    password = settings.secret(PASSWORD_FILE)
    if settings.mail_user is not None and password is None:
        raise MailNotConfigured(
            f"YESSER_MAIL_USER is set: write its password into {settings.secret_path(PASSWORD_FILE)}."
        )
    files = TlsFiles(settings.tls_ca)
    return SmtpServer(host, int(port), tls, settings.mail_user, password, files, settings.mail_timeout_s)


class SmtpSession:
    """One connection, opened with the first message and kept for the next ones. It is to be closed."""

    def __init__(self, server: SmtpServer) -> None:
        self._server = server
        self._smtp: aiosmtplib.SMTP | None = None

    async def aclose(self) -> None:
        """Say goodbye, if there is a connection."""
        smtp, self._smtp = self._smtp, None
        if smtp is None:
            return
        with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
            if smtp.is_connected:
                await smtp.quit(timeout=1)
        smtp.close()

    async def send(self, message: EmailMessage) -> Outcome:
        """Try once to give the message to the server. The outcome's error is an `Error`; None: it was accepted."""
        began = time.perf_counter()
        outcome = await self._try(message)
        return replace(outcome, latency_ms=round((time.perf_counter() - began) * 1000))

    async def _try(self, message: EmailMessage) -> Outcome:
        try:
            smtp = await self._connected()
        except aiosmtplib.SMTPResponseException as error:
            return await self._given_up("no-server", error.code, error.message)
        except (aiosmtplib.SMTPException, SSLError, OSError, TimeoutError) as error:
            return await self._given_up("no-server", None, str(error) or type(error).__name__)
        return await self._send(smtp, message)

    async def _connected(self) -> aiosmtplib.SMTP:
        if self._smtp is not None and self._smtp.is_connected:
            return self._smtp
        await self.aclose()
        server = self._server
        self._smtp = smtp = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user,
            password=server.password,
            local_hostname=socket.gethostname(),
            timeout=server.timeout_s,
            use_tls=server.tls == "tls",
            start_tls=server.tls == "starttls",
            tls_context=None if server.tls == "none" else client_context(server.ca),
        )
        async with asyncio.timeout(_STEPS * server.timeout_s):
            await smtp.connect()
        return smtp

    async def _send(self, smtp: aiosmtplib.SMTP, message: EmailMessage) -> Outcome:
        content = message.as_bytes()
        sender, recipient = (parseaddr(str(message[name]))[1] for name in ("From", "To"))
        try:
            await smtp.mail(sender)
            await smtp.rcpt(recipient)
        except aiosmtplib.SMTPRecipientRefused as error:
            outcome = await self._answered(smtp, error.code, error.message, "no-server")
            is_policy = outcome.error == "refused" and outcome.answer.startswith(_POLICY)
            return replace(outcome, error="later") if is_policy else outcome
        except aiosmtplib.SMTPResponseException as error:  # the sender: every message would be refused
            return await self._given_up("no-server", error.code, error.message)
        except (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPTimeoutError, OSError) as error:
            return await self._given_up("no-server", None, str(error))
        try:
            answer = await smtp.data(content)
        except aiosmtplib.SMTPDataError as error:
            return await self._answered(smtp, error.code, error.message, "unknown")
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            return await self._given_up("unknown", None, str(error))
        return Outcome(answer.code, None, 0, _shown(answer.message))

    async def _answered(self, smtp: aiosmtplib.SMTP, code: int, text: str, unclear: Error) -> Outcome:
        """The server refused this message, for good (5xx) or for now, and the connection goes on; `unclear` if it did
        neither.
        """
        if code < _TEMPORARY:
            return await self._given_up(unclear, code, text)
        try:
            await smtp.rset()
        except (aiosmtplib.SMTPException, OSError):
            await self.aclose()
        return Outcome(code, "refused" if code >= _PERMANENT else "later", 0, _shown(text))

    async def _given_up(self, error: Error, code: int | None, text: str) -> Outcome:
        """The library gives an answer that cannot be read the code -1."""
        await self.aclose()
        return Outcome(None if code is None or code < 0 else code, error, 0, _shown(text))


def _shown(text: str) -> bytes:
    """Its first KiB, without half a character at its end."""
    first = text.replace("\x00", "").encode("utf-8", "replace")[:ANSWER_BYTES_MAX]
    return first.decode("utf-8", "ignore").encode()
