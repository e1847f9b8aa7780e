"""What the tests of commitments have in common."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest

from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.world.commands import yesser_json
from tests.world.logs import apply_everywhere, history_bytes, write_log


@pytest.fixture
def run(settings: Settings) -> Callable[..., Awaitable[tuple[int, Any]]]:
    """Runs a command with `--json`; its exit code and document."""
    return partial(yesser_json, settings)


@pytest.fixture(scope="module")
def raw() -> list[bytes]:
    return history_bytes(51, 400)


@pytest.fixture
async def live(connection: Connection, raw: list[bytes]) -> Connection:
    """The log is written, and every consumer has applied it."""
    await write_log(connection, raw)
    await apply_everywhere(connection, raw)
    return connection
