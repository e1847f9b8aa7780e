"""What of the outbox can be sent, and what is needed for it."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from infra.addresses import NotAnAddress
from infra.postgres.connection import Connection
from infra.settings import Settings
from producers.errors import NotAccepted
from producers.outbox.outbox import NoOutbox, agency_database
from producers.outbox.relay import Row, forget, sort_out
from producers.outbox.senders import require_credentials
from tests.world.events import HEALTH, changed, encoded, initiative


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def test_what_the_registrar_would_refuse_is_told_with_every_fault_and_the_rest_keeps_its_order() -> None:
    faulty = changed(changed(initiative(), "/data/on", "yesterday"), "/data/aim", ...)
    rows = [Row(7, encoded(initiative(id="a"))), Row(8, encoded(faulty)), Row(9, encoded(initiative(id="b")))]
    good, refused = sort_out(rows, HEALTH)
    assert good == [rows[0], rows[2]]
    assert [(row.row_id, sorted(fault["pointer"] for fault in row.faults)) for row in refused] == [
        (8, ["/data/aim", "/data/on"])
    ]


def test_the_platforms_database_is_never_taken_for_the_agencys(settings: Settings) -> None:
    with pytest.raises(NoOutbox, match="YESSER_OUTBOX_POSTGRES"):
        agency_database(settings.model_copy(update={"postgres": "postgresql://platform"}))


@pytest.mark.parametrize(("done", "next_s"), [("DELETE 10000", 0.0), ("DELETE 9999", 60.0), ("DELETE 0", 60.0)])
async def test_old_events_are_deleted_at_once_until_none_is_left(done: str, next_s: float) -> None:
    class Database:
        async def execute(self, _sql: str, days: int, rows_max: int) -> str:
            assert (days, rows_max) == (7, 10_000)
            return done

    assert await forget(cast(Connection, Database()), 7, 10_000) == next_s


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"kafka": "127.0.0.1:9092"}, "YESSER_KAFKA_USER"),
        ({"outbox_gateway": "https://gateway"}, "YESSER_OUTBOX_TOKEN"),
    ],
)
def test_without_a_credential_nothing_is_tried(
    settings: Settings, tmp_path: Path, given: dict[str, str], missing: str
) -> None:
    """On an agency's machine there are no secrets of the platform."""
    with pytest.raises(NotAccepted, match=missing):
        require_credentials(settings.model_copy(update={"secrets": tmp_path, **given}), "health")


def test_a_gateway_that_is_no_address_is_told_with_its_setting(settings: Settings) -> None:
    changes = {"outbox_gateway": "http://127.0.0.1:99999", "outbox_token": "t"}
    with pytest.raises(NotAnAddress, match="YESSER_OUTBOX_GATEWAY: "):
        require_credentials(settings.model_copy(update=changes), "health")
