"""The console in a browser, on the story of `make demo`. Without a Chromium these tests are skipped, never in CI."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.console import Story, at_console, chromium
from tests.scenarios.demo import Demo
from tests.shared_systems import STORY, until_its_last_test

TIMEOUT_S = 600


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test may start the system and the demo, which takes a minute."""
    for item in items:
        if STORY in getattr(item, "fixturenames", ()) and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(TIMEOUT_S))


@pytest.fixture(scope="session")
def story(request: pytest.FixtureRequest, demo: Demo) -> Iterator[Story]:
    path = chromium()
    if path is None:
        pytest.skip("no Chromium: install one, or name it in CHROMIUM")
    with until_its_last_test(request, STORY) as running:
        yield running.enter_context(at_console(demo.system, path))
