"""The timers decide on what they read last: a due date that has moved meanwhile is still to come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any
from unittest.mock import AsyncMock, MagicMock

import pytest

from consumers.campaigns.rules.in_force import release_rules
from consumers.delivery.timers import timers
from infra.postgres.outbox import OutboxEvent
from tests.every import every
from tests.unit.consumers.delivery.timers.overdue import overdue
from tests.world.story import launched

TODAY = "2026-11-16"


@every(("due_on", "events"), [("2026-11-15", 1), (TODAY, 0), ("2026-11-29", 0)])
async def test_a_campaign_is_decided_only_if_its_due_date_has_still_passed_when_it_is_read(
    monkeypatch: pytest.MonkeyPatch, due_on: str, events: int
) -> None:
    story, campaign = launched()
    row = replace(overdue(story, campaign), due_on=due_on)

    async def count(_: timers.Timers, events: Sequence[OutboxEvent], position: int) -> int:
        return len(events)

    monkeypatch.setattr(timers.Timers, "_write", count)
    monkeypatch.setattr(timers, "entries_recorded_by", AsyncMock(return_value=len(story.entries)))
    connection: Any = MagicMock(fetch=AsyncMock(return_value=[asdict(row)]))
    found = timers.Timers(connection, 1, MagicMock(), release_rules(), timedelta(0))
    assert await found._decide([campaign], TODAY, 9) == events
