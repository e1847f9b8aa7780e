"""What the tests of the loop have in common."""

from __future__ import annotations

import pytest

from infra.settings import Settings
from tests.world.topics import make_topics


@pytest.fixture
async def log_topics(settings: Settings) -> None:
    """The topics of the log and of the platform."""
    await make_topics(settings)
