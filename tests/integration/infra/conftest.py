"""Kafka with short sessions, for the tests that wait until they end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.stack import TestStack, services_with_short_sessions

SESSION_S = 2


@pytest.fixture(scope="session")
def short_sessions() -> Iterator[TestStack]:
    """A stack of its own, whose passwords a test may replace; it sets them back. Its tests are one group of workers."""
    with services_with_short_sessions(SESSION_S) as stack:
        yield stack
