"""`security.txt` is served by gateway and console while its settings name a contact that has not expired."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from infra.http.security_txt import SECURITY_TXT
from infra.settings import Settings
from producers.gateway.app import application
from tests.every import every
from tests.world.gateways import answer_of, parts
from tests.world.pages import browser

NOW = datetime.now(UTC)
LATER = NOW + timedelta(days=30)
FILE = f"Contact: mailto:security@yesser.example\nExpires: {LATER:%Y-%m-%dT%H:%M:%SZ}\nPreferred-Languages: ar, en\n"


def with_contact(expires: datetime) -> Settings:
    return Settings(security_contact="mailto:security@yesser.example", security_expires=expires)


async def from_console(settings: Settings) -> httpx.Response:
    async with browser(settings=settings) as client:
        return await client.get(SECURITY_TXT)


async def test_gateway_and_console_serve_the_file_without_signing_in_and_none_without_a_contact() -> None:
    settings = with_contact(LATER)
    from_gateway = await answer_of(SECURITY_TXT, app=application(parts(settings)))
    for answer in (from_gateway, await from_console(settings)):
        assert (answer.status_code, answer.text) == (200, FILE)
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert (await answer_of(SECURITY_TXT)).status_code == 404
    assert (await from_console(with_contact(NOW - timedelta(seconds=1)))).status_code == 404, "it has expired"


@every(
    "wrong",
    [
        {"security_contact": "mailto:a@b.example"},
        {"security_expires": LATER},
        {"security_contact": "a@b.example", "security_expires": LATER},
        {"security_contact": "mailto:a@b.example", "security_expires": datetime(2030, 1, 1)},  # noqa: DTZ001
        {"security_contact": "mailto:a@b.example\nExpires: never", "security_expires": LATER},
    ],
)
def test_a_contact_needs_its_expiry_and_the_form_of_the_standard(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings(**wrong)
