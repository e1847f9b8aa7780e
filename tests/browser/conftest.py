"""The console in a browser, on the story of `make demo`. Without a Chromium these tests are skipped, never in CI."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.console import Story, chromium, running_browser
from tests.scenarios.system import fresh_system


@pytest.fixture(scope="session")
def story() -> Iterator[Story]:
    path = chromium()
    if path is None:
        pytest.skip("no Chromium: install one, or name it in CHROMIUM")
    with fresh_system() as system, running_browser(path) as browser:
        system.run("demo")
        told = Story(system, browser)
        told.add_accounts()
        yield told
