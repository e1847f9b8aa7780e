"""Fixtures of the tests on the real services."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.integration.door import Door, open_door


@pytest.fixture
async def door(settings: Settings, connection: Connection) -> AsyncIterator[Door]:
    """The gateway with two agencies that the log is said to know."""
    async with open_door(settings, connection) as opened:
        yield opened
