"""One read API for all tests of a file: most only ask, and what one changes it puts back, or it comes last."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from infra.process.subprocess_command import subprocess_environment
from tests.integration.consumers.api.read_api import Window, window_on
from tests.integration.consumers.api.read_story import story
from tests.oracle.log import EntryDict
from tests.stack import TestStack
from tests.world.commands import Yesser


@pytest.fixture(scope="module")
def told() -> list[EntryDict]:
    return story()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def window(
    stack: TestStack, told: list[EntryDict], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Window]:
    async with window_on(stack, tmp_path_factory.mktemp("window") / "home", told) as opened:
        yield opened


@pytest.fixture
def yesser(window: Window) -> Yesser:
    return Yesser(subprocess_environment(window.settings))
