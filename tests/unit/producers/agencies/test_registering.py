"""What is refused is refused before anything is made: a topic, a right, a credential.

No Kafka is known here: to ask it would be another error.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock, MagicMock

import pytest
from click.testing import CliRunner

from infra.settings import Settings
from producers.agencies.commands import agencies
from producers.agencies.lifecycle import StatusUnchanged, resume, rotate
from producers.agencies.register import NewAgency, add_agencies
from producers.errors import RegistrationFailed
from tests.every import every
from tests.world.senders import HEALTH, now

NAME = {"ar": "وزارة الصحة", "en": "Ministry of Health"}


def database(row: dict[str, Any] | None = None) -> Any:
    """Every code is registered as this row says, and none is suspended."""

    def role_or_suspension(sql: str, _code: str) -> str | None:
        return None if row is None or "platform.suspension" in sql else row["role"]

    return MagicMock(fetchrow=AsyncMock(return_value=row), fetchval=AsyncMock(side_effect=role_or_suspension))


@every(
    ("agencies", "known", "words"),
    [
        ([NewAgency("platform", "agency", "أ", "A")], {"role": "platform", "name": NAME}, "of the platform itself"),
        ([NewAgency("platform", "agency", "أ", "A")], None, "of the platform itself"),
        ([NewAgency("health", "office", *NAME.values())], {"role": "agency", "name": NAME}, "registered as agency"),
        ([NewAgency("health", "agency", "أ", "A")], {"role": "agency", "name": NAME}, "already registered as"),
        ([NewAgency("health", "agency", "", "A")], None, "health cannot be registered"),
        ([NewAgency("health", "agency", "أ", "1000000008")], None, "personal-data"),
        ([HEALTH, NewAgency("labour", "agency", "أ", "")], None, "labour cannot be registered"),  # none of both
    ],
)
async def test_an_agency_that_cannot_be_registered_gets_no_topic_and_no_right(
    tmp_path: Path, agencies: list[NewAgency], known: dict[str, Any] | None, words: str
) -> None:
    with pytest.raises(RegistrationFailed, match=words):
        await add_agencies(database(known), Settings(home=tmp_path), agencies, now)


async def test_nobody_gets_the_platforms_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings, connection = Settings(home=tmp_path), database({"role": "platform", "name": NAME})
    with pytest.raises(StatusUnchanged, match="only the relay writes as the platform"):
        await rotate(connection, settings, "platform")
    with pytest.raises(StatusUnchanged, match="only the relay writes as the platform"):
        await resume(connection, settings, "platform", NAME, now)
    monkeypatch.setenv("YESSER_HOME", str(tmp_path))
    done = CliRunner().invoke(agencies, ["certificate", "platform", "--output", str(tmp_path / "platform.pem")])
    assert isinstance(done.exception, StatusUnchanged)
    assert not (tmp_path / "platform.pem").exists()
