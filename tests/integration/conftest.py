"""Fixtures of the tests on the real services."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.integration.consumers.api.read_api import Window, lay_down, read_window
from tests.integration.consumers.api.read_story import story
from tests.oracle.log import EntryDict
from tests.world.commands import Yesser
from tests.world.senders import GatewayHarness, run_gateway


@pytest.fixture
async def harness(settings: Settings, connection: Connection) -> AsyncIterator[GatewayHarness]:
    """The gateway with two agencies that the log is said to know."""
    async with run_gateway(settings, connection) as opened:
        yield opened


@pytest.fixture
def told() -> list[EntryDict]:
    """The log that `window` reads."""
    return story()


@pytest.fixture
async def window(settings: Settings, connection: Connection, told: list[EntryDict]) -> AsyncIterator[Window]:
    """The read API over the short log of two agencies."""
    await lay_down(connection, told)
    async with read_window(settings, connection) as opened:
        yield opened


@pytest.fixture
def yesser(environment: Callable[..., dict[str, str]]) -> Yesser:
    """Calls commands with this test's settings, as the operator `desk`."""
    return Yesser(environment(YESSER_OPERATOR="desk"))
