"""Fixtures of the tests on the real services."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.world.senders import GatewayHarness, run_gateway


@pytest.fixture
async def harness(settings: Settings, connection: Connection) -> AsyncIterator[GatewayHarness]:
    """The gateway with two agencies that the log is said to know."""
    async with run_gateway(settings, connection) as opened:
        yield opened
