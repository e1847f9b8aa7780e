"""The SMTP server: which one is used, encryption and login, servers that behave badly, and what follows an attempt."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP as POLICY
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from pydantic import ValidationError

from consumers.delivery.mail.notices import UNKNOWN_MAX, VALID
from consumers.delivery.mail.route import verdict
from consumers.delivery.mail.smtp import ANSWER_BYTES_MAX, MailNotConfigured, SmtpServer, SmtpSession, smtp_server
from consumers.delivery.sending.route import NextStep, Outcome
from infra.settings import Settings
from infra.tls.certificate_files import TlsFiles
from infra.tls.plaintext import PlaintextRefused
from tests.every import every
from tests.unit.infra.tls.certificates import private_authority, server_context, server_for
from tests.world.letters import MESSAGE, NOW
from tests.world.mail import MailServer, mail_server, smtp


def a_message() -> EmailMessage:
    message = EmailMessage(POLICY)
    message["From"], message["To"], message["Subject"] = "a@yesser.example", "press@health.example", "Test"
    message["Date"] = datetime(2026, 11, 2, tzinfo=UTC)
    message.set_content("Text\n.\n.Text")
    return message


def only(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
    """One user with one password."""
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (b"campaigns", b"right")
    return AuthResult(success=good, handled=good)


async def sent(server: SmtpServer) -> tuple[str, int | None, str]:
    """What became of a message."""
    async with aclosing(SmtpSession(server)) as session:
        outcome = await session.send(a_message())
    return outcome.error or "accepted", outcome.status, outcome.answer.decode()


@pytest.fixture
def files(tmp_path: Path) -> TlsFiles:
    """The authority of this test's servers."""
    private_authority(tmp_path)
    return TlsFiles(tmp_path / "ca.pem")


async def test_a_message_goes_over_an_encrypted_connection_with_a_login(tmp_path: Path, files: TlsFiles) -> None:
    context = server_context(private_authority(tmp_path).server("mail"))
    async with mail_server(tls_context=context, require_starttls=True, authenticator=only, auth_required=True) as mails:
        for password, result in (("right", ("accepted", 250)), ("wrong", ("no-server", 535))):
            server = smtp(mails, tls="starttls", ca=files, user="campaigns", password=password)
            assert (await sent(server))[:2] == result
        assert len(mails.received) == 1
        assert b"\r\n..\r\n..Text" not in mails.received[0][1]  # the dots are those of the text
        assert b"\r\n.\r\n.Text" in mails.received[0][1]


async def test_a_server_without_encryption_or_of_another_name_is_refused(tmp_path: Path, files: TlsFiles) -> None:
    other_name = server_context(server_for(private_authority(tmp_path), "mail.other.example"))
    other_authority = server_context(private_authority(tmp_path / "other").server("mail"))
    for context, reason in (
        (None, "STARTTLS"),
        (other_name, "for another name"),
        (other_authority, "not from a trusted authority"),
    ):
        async with mail_server(tls_context=context) as mails:
            result, status, answer = await sent(smtp(mails, tls="starttls", ca=files))
            assert (result, status) == ("no-server", None)
            assert reason in answer
            assert mails.received == []


@asynccontextmanager
async def script(*answers: bytes, then: bytes = b"") -> AsyncIterator[int]:
    """A server that gives these answers, one for each line that it gets, and then floods its client with `then`."""

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.CancelledError):
            lines = iter(answers)
            writer.write(next(lines))
            for answer in lines:
                await reader.readline()
                writer.write(answer)
            await reader.readline()
            for _ in range(100_000 if then else 0):
                writer.write(then)
                await writer.drain()
            await reader.read()
        writer.transport.abort()

    tasks: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.ensure_future(speak(reader, writer)))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@every(
    ("answers", "then", "result"),
    [
        ((b"554 no service here\r\n",), b"", ("no-server", 554)),
        ((b"HTTP/1.1 400 Bad Request\r\n",), b"", ("no-server", None)),
        ((b"220 hello\r\n",), b"", ("no-server", None)),  # it stalls
        ((b"220 hello\r\n",), b"250-more\r\n", ("no-server", None)),  # an answer without end
        ((b"220 hello\r\n",), b"x" * 8_192, ("no-server", None)),  # a line without end
        ((b"220 hello\r\n", b"250 mail\r\n", b"550 not from you\r\n"), b"", ("no-server", 550)),
        ((b"220 hello\r\n", b"250 mail\r\n", b"250 ok\r\n", b"451 later\r\n"), b"", ("later", 451)),
        ((b"220 hello\r\n", b"250 mail\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n"), b"", ("unknown", None)),
        ((b"220 hello\r\n", b"250 mail\r\n", b"250 ok\r\n", b"what?\r\n"), b"", ("no-server", None)),
    ],
)
async def test_a_server_that_behaves_badly_ends_the_attempt_and_nothing_else(
    answers: tuple[bytes, ...], then: bytes, result: tuple[str, int | None]
) -> None:
    async with script(*answers, then=then) as port, asyncio.timeout(20):
        found = await sent(smtp(MailServer(port)))
    assert found[:2] == result
    assert len(found[2].encode()) <= ANSWER_BYTES_MAX


async def test_a_refusal_is_kept_up_to_a_kib_and_a_server_that_does_not_relay_for_us_yet_is_asked_again() -> None:
    async with mail_server() as mails:
        mails.refusals = {"press@health.example": "550 " + "no " * 150}
        result, status, answer = await sent(smtp(mails))
        assert (result, status) == ("refused", 550)
        assert len(answer) <= ANSWER_BYTES_MAX
        mails.refusals = {"press@health.example": "554 5.7.1 relay access denied"}
        assert await sent(smtp(mails)) == ("later", 554, "5.7.1 relay access denied")


def settings(tmp_path: Path, **more: object) -> Settings:
    given = {"home": tmp_path, "mail_server": "mail.example:587", "mail_from": "campaigns@yesser.example"} | more
    return Settings(**given).acting_as("delivery")  # type: ignore[arg-type]


@every(
    ("address", "tls"),
    [("mail.example:587", "starttls"), ("127.0.0.1:25", "none"), ("[::1]:25", "none"), ("10.0.0.1:25", "starttls")],
)
def test_a_connection_is_encrypted_unless_it_stays_on_this_machine(tmp_path: Path, address: str, tls: str) -> None:
    server = smtp_server(settings(tmp_path, mail_server=address))
    assert server is not None
    assert server.tls == tls
    assert smtp_server(settings(tmp_path, mail_server=None)) is None
    with pytest.raises(PlaintextRefused, match="YESSER_MAIL_TLS=starttls"):
        smtp_server(settings(tmp_path, mail_tls="none"))
    assert smtp_server(settings(tmp_path, mail_tls="none", dangerously_allow_plaintext="smtp")) is not None


@every(
    ("more", "message"),
    [
        ({"mail_server": "mail.example"}, "host:port"),
        ({"mail_from": None}, "YESSER_MAIL_FROM"),
        ({"mail_user": "campaigns"}, "delivery/smtp"),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, more: dict[str, object], message: str) -> None:
    with pytest.raises(MailNotConfigured, match=message):
        smtp_server(settings(tmp_path, **more))


def test_the_password_is_a_file_and_is_not_shown(tmp_path: Path) -> None:
    given = settings(tmp_path, mail_user="campaigns")
    path = given.secret_path("smtp")
    path.parent.mkdir(parents=True)
    path.write_text("hidden\n")
    server = smtp_server(given)
    assert server is not None
    assert server.password == "hidden"
    assert "hidden" not in repr(server)


@every("address", ["http://console.example", "https://a b", "https://x\r\ny", 'https://x"y'])
def test_links_lead_to_an_https_address(tmp_path: Path, address: str) -> None:
    with pytest.raises(ValidationError):
        settings(tmp_path, console_address=address)


@every(
    ("outcome", "found"),
    [
        (Outcome(250, None, 9), NextStep("delivered")),
        (Outcome(550, "refused", 9), NextStep("failed")),
        (Outcome(451, "later", 9), NextStep("waiting", 30.0)),
        (Outcome(None, "unknown", 9), NextStep("waiting", 30.0)),
        (Outcome(None, "no-server", 9), NextStep("waiting", 0.0)),
    ],
)
def test_the_answer_decides_what_follows(outcome: Outcome, found: NextStep) -> None:
    assert verdict(MESSAGE, outcome, NOW, 0.0) == found


def test_waits_double_up_to_an_hour_and_end_after_five_days_or_once_it_may_have_arrived_three_times() -> None:
    later = Outcome(451, "later", 9)
    waits = [verdict(replace(MESSAGE, attempts=n), later, NOW, 0.999).wait_s for n in range(11)]
    assert waits == sorted(waits)
    assert waits[0] < 60
    assert 3_590 < waits[-1] <= 3_600
    assert verdict(MESSAGE, later, NOW + VALID, 0.0) == NextStep("failed")
    assert verdict(MESSAGE, Outcome(None, "no-server", 9), NOW + VALID, 0.0).state == "waiting"
    often = replace(MESSAGE, attempts=2, unknown=UNKNOWN_MAX - 1)
    assert verdict(often, Outcome(None, "unknown", 9), NOW, 0.0) == NextStep("failed")
