"""One whole system for the quick scenarios; the long proofs start their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.scenarios.figures import take
from tests.scenarios.system import System, running_system


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what was measured."""
    for figure in take():
        terminalreporter.write_line(figure)


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Every process, once; tests leave it at rest and working."""
    with running_system(tmp_path_factory.mktemp("system")) as running:
        yield running
