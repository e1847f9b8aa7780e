"""Systems that many tests share: each is started by the first of its tests and ends after the last."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

import pytest

SYSTEM: Final = "system"
STORY: Final = "story"
"""The system that the browser looks at: one worker alone starts it."""
SHARED_SYSTEMS: Final = (SYSTEM, STORY)
"""Fixtures of the whole session."""
RUNNING: Final = pytest.StashKey[dict[str, ExitStack]]()


@contextmanager
def until_its_last_test(request: pytest.FixtureRequest, name: str) -> Iterator[ExitStack]:
    """What the fixture `name` runs."""
    with ExitStack() as running:
        request.config.stash.setdefault(RUNNING, {})[name] = running
        yield running
