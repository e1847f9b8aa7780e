"""What is refused is refused before anything is made: a topic, a right, a credential.

No Kafka is known here: to ask it would be another error.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from click.testing import CliRunner

from infra.postgres.connection import Connection
from infra.settings import Settings
from producers.agencies.commands import agencies
from producers.agencies.lifecycle import StatusUnchanged, resume, rotate
from producers.agencies.register import NewAgency, add_agencies
from producers.errors import RegistrationFailed

NAME = {"ar": "وزارة الصحة", "en": "Ministry of Health"}
HEALTH = NewAgency("health", "agency", NAME["ar"], NAME["en"])


class Database:
    """Every code is registered as this row says, and none is suspended."""

    def __init__(self, row: dict[str, Any] | None) -> None:
        self._row = row

    async def fetchrow(self, _sql: str, _code: str) -> dict[str, Any] | None:
        return self._row

    async def fetchval(self, sql: str, _code: str) -> str | None:
        """Its role, or whether it is suspended."""
        return None if self._row is None or "platform.suspension" in sql else self._row["role"]


def database(row: dict[str, Any] | None = None) -> Connection:
    return cast(Connection, Database(row))


def now() -> datetime:
    return datetime.now(UTC)


@pytest.mark.parametrize(
    ("agency", "known", "words"),
    [
        (NewAgency("platform", "agency", "أ", "A"), {"role": "platform", "name": NAME}, "of the platform itself"),
        (NewAgency("platform", "agency", "أ", "A"), None, "of the platform itself"),
        (NewAgency("health", "office", *NAME.values()), {"role": "agency", "name": NAME}, "registered as agency"),
        (NewAgency("health", "agency", "أ", "A"), {"role": "agency", "name": NAME}, "already registered as"),
        (NewAgency("health", "agency", "", "A"), None, "health cannot be registered"),
        (NewAgency("health", "agency", "أ", "1000000008"), None, "personal-data"),
    ],
)
async def test_an_agency_that_cannot_be_registered_gets_no_topic_and_no_right(
    tmp_path: Path, agency: NewAgency, known: dict[str, Any] | None, words: str
) -> None:
    with pytest.raises(RegistrationFailed, match=words):
        await add_agencies(database(known), Settings(home=tmp_path), [agency], now)


async def test_of_several_agencies_none_is_made_where_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RegistrationFailed, match="labour cannot be registered"):
        await add_agencies(database(), Settings(home=tmp_path), [HEALTH, NewAgency("labour", "agency", "أ", "")], now)


async def test_nobody_gets_the_platforms_password_or_rights(tmp_path: Path) -> None:
    settings, connection = Settings(home=tmp_path), database({"role": "platform", "name": NAME})
    tries: tuple[Callable[[], Awaitable[object]], ...] = (
        lambda: rotate(connection, settings, "platform"),
        lambda: resume(connection, settings, "platform", NAME, now),
    )
    for tried in tries:
        with pytest.raises(StatusUnchanged, match="only the relay writes as the platform"):
            await tried()


def test_nobody_gets_a_certificate_of_the_platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YESSER_HOME", str(tmp_path))
    done = CliRunner().invoke(agencies, ["certificate", "platform", "--output", str(tmp_path / "platform.pem")])
    assert isinstance(done.exception, StatusUnchanged)
    assert not (tmp_path / "platform.pem").exists()
