"""What an operator calls: commands of `yesser` in a thread of this process, on a test's own database."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from click.testing import CliRunner, Result

from infra.cli import cli
from infra.json_documents import from_json
from infra.process.subprocess_command import subprocess_environment
from infra.settings import Settings


@dataclass(frozen=True)
class Yesser:
    """`environment`: of the commands, which a call may change."""

    environment: Mapping[str, str]

    async def run(self, *words: str, **changes: str) -> Result:
        """What became of it: some commands are to fail."""
        return await _run(words, {**self.environment, **changes})

    async def output(self, *words: str, **changes: str) -> str:
        """What a command prints that has to be good."""
        result = await self.run(*words, **changes)
        assert result.exit_code == 0, (words, result.output, result.exception)
        return result.stdout

    async def document(self, *words: str, **changes: str) -> Any:
        """The same, as JSON."""
        return from_json((await self.output(*words, "--json", **changes)).encode())


async def yesser(settings: Settings, *words: str, catch_exceptions: bool = True, typed: str | None = None) -> Result:
    """A command with exactly these settings; an auditor's checkpoints are in the home. `typed`: what a person answers
    to its questions."""
    environment = subprocess_environment(settings) | {"XDG_STATE_HOME": str(settings.home / "state")}
    return await _run(words, environment, catch_exceptions, typed)


async def yesser_json(settings: Settings, *words: str) -> tuple[int, Any]:
    """Its exit code and what it prints with `--json`; its errors are raised."""
    result = await yesser(settings, *words, "--json", catch_exceptions=False)
    return result.exit_code, from_json(result.stdout.encode())


async def _run(
    words: Sequence[str], environment: Mapping[str, str], catch_exceptions: bool = True, typed: str | None = None
) -> Result:
    invoke = partial(CliRunner().invoke, cli, words, typed)
    return await asyncio.to_thread(invoke, env=environment, catch_exceptions=catch_exceptions)
