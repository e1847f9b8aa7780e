"""Rules of campaigns that cannot be read: the other read models are committed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from unittest.mock import AsyncMock, Mock

import pytest
from structlog.testing import capture_logs

from consumers.campaigns.consumer import CONSUMER as CAMPAIGNS
from consumers.campaigns.rules.rule_file import Fault, InvalidRules
from consumers.commitments import commitment
from consumers.commitments.commitment import Commitment, hash_read_models
from consumers.commitments.growth import Growth
from consumers.fold.consumer import Consumer
from consumers.projections.consumer import CONSUMER as PROJECTIONS


async def test_a_faulty_folder_of_rules_leaves_out_the_campaigns_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hashed(_: object, consumer: Consumer, *__: object) -> list[Commitment]:
        return [Commitment(f"{consumer.name}.table", 7, 1, "00", "2026-11-25T08:00:00.000000Z", "1-00", 7)]

    monkeypatch.setattr(commitment, "_hash_consumer", hashed)
    monkeypatch.setattr(commitment, "keys_growth", AsyncMock(return_value=Growth(7, 0)))
    connection = AsyncMock()
    connection.fetch.return_value = [
        (one.name, 7, one.version.number, one.version.sha256, 7, 0, 0, timedelta()) for one in (CAMPAIGNS, PROJECTIONS)
    ]
    connection.fetchrow.return_value = None  # the trail has no rows yet
    unreadable = Mock(side_effect=InvalidRules([Fault("x.yaml", "/name", "خطأ", "no such field")]))
    with capture_logs() as lines:
        found = await hash_read_models(connection, [replace(CAMPAIGNS, rules=unreadable), PROJECTIONS])
    assert [one.name for one in found] == ["projections.table"]
    assert [line["consumer"] for line in lines] == ["campaigns"]
