"""One whole system for the quick scenarios; the long proofs start their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.scenarios.system import System, running_system


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Every process, once; tests leave it at rest and working."""
    with running_system(tmp_path_factory.mktemp("system")) as running:
        yield running
