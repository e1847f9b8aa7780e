"""What of the outbox can be sent, and what is needed for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import ANY, AsyncMock, MagicMock

import pytest

from infra.addresses import NotAnAddress
from infra.settings import Settings
from producers.errors import NotAccepted
from producers.outbox.outbox import NoOutbox, agency_database
from producers.outbox.relay import OutboxRow, forget, require_credentials, sort_out
from tests.every import every
from tests.world.events import HEALTH, changed, encoded, initiative


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def test_what_the_registrar_would_refuse_is_told_with_every_fault_and_the_rest_keeps_its_order() -> None:
    faulty = changed(changed(initiative(), "/data/on", "yesterday"), "/data/aim", ...)
    rows = [
        OutboxRow(7, encoded(initiative(id="a"))),
        OutboxRow(8, encoded(faulty)),
        OutboxRow(9, encoded(initiative(id="b"))),
    ]
    good, refused = sort_out(rows, HEALTH)
    assert good == [rows[0], rows[2]]
    assert [(row.row_id, sorted(fault["pointer"] for fault in row.faults)) for row in refused] == [
        (8, ["/data/aim", "/data/on"])
    ]


def test_the_platforms_database_is_never_taken_for_the_agencys(settings: Settings) -> None:
    with pytest.raises(NoOutbox, match="YESSER_OUTBOX_POSTGRES"):
        agency_database(settings.model_copy(update={"postgres": "postgresql://platform"}))


async def test_old_events_are_deleted_at_once_until_none_is_left() -> None:
    database: Any = MagicMock(execute=AsyncMock(side_effect=["DELETE 10000", "DELETE 9999", "DELETE 0"]))
    assert [await forget(database, 7, 10_000) for _ in range(3)] == [0.0, 60.0, 60.0]
    database.execute.assert_called_with(ANY, 7, 10_000)


@every(
    ("given", "error", "missing"),
    [
        ({"kafka": "127.0.0.1:9092"}, NotAccepted, "YESSER_KAFKA_USER"),
        ({"outbox_gateway": "https://gateway"}, NotAccepted, "YESSER_OUTBOX_TOKEN"),
        ({"outbox_gateway": "http://127.0.0.1:99999", "outbox_token": "t"}, NotAnAddress, "YESSER_OUTBOX_GATEWAY: "),
    ],
)
def test_without_a_credential_or_an_address_nothing_is_tried(
    settings: Settings, tmp_path: Path, given: dict[str, str], error: type[Exception], missing: str
) -> None:
    """On an agency's machine there are no secrets of the platform."""
    with pytest.raises(error, match=missing):
        require_credentials(settings.model_copy(update={"secrets": tmp_path, **given}), "health")
