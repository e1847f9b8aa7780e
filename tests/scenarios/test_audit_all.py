"""Every check on a system as a user starts it: all are sound, and one policy is found."""

from __future__ import annotations

import pytest

from infra.postgres.connection import connected
from tests.scenarios.system import System

pytestmark = [pytest.mark.stack, pytest.mark.accept]


async def test_every_check_of_a_running_system_is_sound(system: System) -> None:
    system.settle()
    found = system.run("audit", "all")
    assert [(check["command"], check["exit_code"], check["said"]) for check in found["checks"]] == [
        (name, 0, "")
        for name in (
            "audit verify --database",
            "audit completeness",
            "audit replay",
            "audit commitments",
            "rebuild --compare",
        )
    ]
    async with connected(system.settings, "test") as connection:
        await connection.execute(
            "ALTER TABLE revenue.payout ENABLE ROW LEVEL SECURITY; CREATE POLICY hide ON revenue.payout USING (false)"
        )
        try:
            hidden = system.run("audit", "verify", "--database", exits=(76,))
        finally:
            await connection.execute(
                "DROP POLICY hide ON revenue.payout; ALTER TABLE revenue.payout DISABLE ROW LEVEL SECURITY"
            )
    assert any("policy revenue.payout hide" in line for line in hidden["difference"]["objects"])
