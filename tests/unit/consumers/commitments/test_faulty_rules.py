"""Rules of campaigns that cannot be read: the other read models are committed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from consumers.campaigns.consumer import CONSUMER as CAMPAIGNS
from consumers.campaigns.rules.rule_file import Fault, InvalidRules
from consumers.commitments import commitment
from consumers.commitments.commitment import Commitment, hash_read_models
from consumers.commitments.growth import Growth
from consumers.fold.consumer import Consumer
from consumers.fold.version import RuleVersions
from consumers.projections.consumer import CONSUMER as PROJECTIONS


class Connection:
    async def fetchval(self, *_: object) -> bool:
        return True

    async def fetchrow(self, *_: object) -> None:
        """The trail has no rows yet."""

    async def fetch(self, *_: object) -> list[tuple[object, ...]]:
        """The growth of both: no version of the campaigns can be compared with that of their rows."""
        return [
            (one.name, 7, one.version.number, one.version.sha256, 7, 0, 0, timedelta())
            for one in (CAMPAIGNS, PROJECTIONS)
        ]


def unreadable() -> RuleVersions:
    raise InvalidRules([Fault("x.yaml", "/name", "خطأ", "no such field")])


async def test_a_faulty_folder_of_rules_leaves_out_the_campaigns_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hashed(_: object, consumer: Consumer, *__: object) -> list[Commitment]:
        return [Commitment(f"{consumer.name}.table", 7, 1, "00", "2026-11-25T08:00:00.000000Z", "1-00", 7)]

    async def keys(*_: object) -> Growth:
        return Growth(7, 0)

    monkeypatch.setattr(commitment, "_hash_consumer", hashed)
    monkeypatch.setattr(commitment, "keys_growth", keys)
    connection: Any = Connection()
    with capture_logs() as lines:
        found = await hash_read_models(connection, [replace(CAMPAIGNS, rules=unreadable), PROJECTIONS])
    assert [one.name for one in found] == ["projections.table"]
    assert [line["consumer"] for line in lines] == ["campaigns"]
