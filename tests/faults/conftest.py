"""The proofs by faults start systems of their own: what they break is not shared."""

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
def broken_system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """One system for the quick proofs; each leaves it at rest and working."""
    with running_system(tmp_path_factory.mktemp("system")) as running:
        yield running
