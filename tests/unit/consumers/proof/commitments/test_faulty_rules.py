"""Rules of campaigns that cannot be read: the other read models are committed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from unittest.mock import AsyncMock, Mock

from structlog.testing import capture_logs

from consumers.programme.campaigns.consumer import CONSUMER as CAMPAIGNS
from consumers.programme.campaigns.rules.rule_file import Fault, InvalidRules
from consumers.programme.projections.consumer import CONSUMER as PROJECTIONS
from consumers.proof.commitments.commitment import growths
from events.values.bilingual import Bilingual


async def test_a_faulty_folder_of_rules_leaves_out_the_campaigns_alone() -> None:
    connection = AsyncMock()
    connection.fetch.return_value = [
        (one.name, 7, one.version.number, one.version.sha256, 7, 0, 0, timedelta()) for one in (CAMPAIGNS, PROJECTIONS)
    ]
    unreadable = Mock(side_effect=InvalidRules([Fault("x.yaml", "/name", Bilingual("خطأ", "no such field"))]))
    with capture_logs() as lines:
        found = await growths(connection, [replace(CAMPAIGNS, rules=unreadable), PROJECTIONS])
    assert [*found] == ["projections"]
    assert [line["consumer"] for line in lines] == ["campaigns"]
