"""What the tests of commitments have in common."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest
from click.testing import CliRunner

from infra.settings import Settings


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a command with `--json` in a thread of its own; its exit code and document."""
    assert settings.postgres is not None
    monkeypatch.setenv("YESSER_POSTGRES", settings.postgres)
    monkeypatch.setenv("YESSER_HOME", str(settings.home))

    async def invoke(command: Any, *arguments: str) -> tuple[int, dict[str, Any]]:
        result = await asyncio.to_thread(CliRunner().invoke, command, [*arguments, "--json"], catch_exceptions=False)
        return result.exit_code, orjson.loads(result.stdout)

    return invoke
