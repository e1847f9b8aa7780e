"""Commands of `yesser`, run in this process."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
from click.testing import CliRunner, Result

from infra.cli import cli
from infra.process.subprocess_command import subprocess_environment
from infra.settings import Settings


async def yesser(settings: Settings, *arguments: str, catch_exceptions: bool = True) -> Result:
    """`yesser ARGUMENTS` with exactly these settings, in a thread; an auditor's checkpoints are in the home."""
    environment = subprocess_environment(settings) | {"XDG_STATE_HOME": str(settings.home / "state")}
    invoke = CliRunner().invoke
    return await asyncio.to_thread(invoke, cli, list(arguments), env=environment, catch_exceptions=catch_exceptions)


async def yesser_json(settings: Settings, *arguments: str) -> tuple[int, Any]:
    """Its exit code and what it prints with `--json`; its errors are raised."""
    result = await yesser(settings, *arguments, "--json", catch_exceptions=False)
    return result.exit_code, orjson.loads(result.stdout)
