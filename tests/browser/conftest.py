"""The console in a browser, on the story of `make demo`. Without a Chromium these tests are skipped, never in CI."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.console import Story, chromium, told_story
from tests.shared_systems import STORY, until_its_last_test

TIMEOUT_S = 600


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test starts the system and publishes the story, which takes a minute."""
    for item in items:
        if STORY in getattr(item, "fixturenames", ()) and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(TIMEOUT_S))


@pytest.fixture(scope="session")
def story(request: pytest.FixtureRequest) -> Iterator[Story]:
    path = chromium()
    if path is None:
        pytest.skip("no Chromium: install one, or name it in CHROMIUM")
    with until_its_last_test(request, STORY) as running:
        yield running.enter_context(told_story(path))
