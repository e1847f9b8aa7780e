"""Which SMTP server is used, and which settings are refused with the remedy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from consumers.delivery.mail.queue import UNKNOWN_MAX, VALID, Verdict, verdict
from consumers.delivery.mail.smtp import MailNotConfigured, Outcome, smtp_server
from infra.settings import Settings
from infra.tls.plaintext import PlaintextRefused
from tests.every import every
from tests.unit.consumers.delivery.mail.notices import CLAIMED, NOW


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
        (Outcome("accepted", 250), Verdict("delivered")),
        (Outcome("refused", 550), Verdict("failed", "refused")),
        (Outcome("later", 451), Verdict("waiting", "later", 30.0)),
        (Outcome("unknown"), Verdict("waiting", "unknown", 30.0)),
        (Outcome("no-server"), Verdict("waiting", "no-server")),
    ],
)
def test_the_answer_decides_what_follows(outcome: Outcome, found: Verdict) -> None:
    assert verdict(CLAIMED, outcome, NOW, 0.0) == found


def test_waits_double_up_to_an_hour_and_end_after_five_days_or_once_it_may_have_arrived_three_times() -> None:
    later = Outcome("later", 451)
    waits = [verdict(replace(CLAIMED, attempts=n), later, NOW, 0.999).wait_s for n in range(1, 12)]
    assert waits == sorted(waits)
    assert waits[0] < 60
    assert 3_590 < waits[-1] <= 3_600
    assert verdict(CLAIMED, later, NOW + VALID, 0.0) == Verdict("failed", "later")
    assert verdict(CLAIMED, Outcome("no-server"), NOW + VALID, 0.0).state == "waiting"
    often = replace(CLAIMED, attempts=3, unknown=UNKNOWN_MAX - 1)
    assert verdict(often, Outcome("unknown"), NOW, 0.0) == Verdict("failed", "unknown")
