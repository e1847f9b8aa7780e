"""Systems that many tests share: each is started by the first of its tests and ends after the last."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

import pytest

SYSTEM: Final = "system"
DEMO: Final = "demo"
"""The system after `yesser demo`."""
STORY: Final = "story"
"""A browser at that system's console, with an account for each role."""
SHARED_SYSTEMS: Final = (SYSTEM, DEMO, STORY)
"""Fixtures of the whole session, which end in the reverse order."""
RUNNING: Final = pytest.StashKey[dict[str, ExitStack]]()


@contextmanager
def until_its_last_test(request: pytest.FixtureRequest, name: str) -> Iterator[ExitStack]:
    """What the fixture `name` runs."""
    with ExitStack() as running:
        request.config.stash.setdefault(RUNNING, {})[name] = running
        yield running
