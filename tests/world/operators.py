"""What an operator calls: commands of `yesser` in a thread of this process, on a test's own database."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from click.testing import CliRunner, Result

from infra.cli import cli
from infra.json_documents import from_json


@dataclass(frozen=True)
class Yesser:
    """`environment`: of the commands, which a call may change."""

    environment: Mapping[str, str]

    async def run(self, *words: str, **changes: str) -> Result:
        """What became of it: some commands are to fail."""
        return await asyncio.to_thread(CliRunner().invoke, cli, list(words), env={**self.environment, **changes})

    async def output(self, *words: str, **changes: str) -> str:
        """What a command prints that has to be good."""
        result = await self.run(*words, **changes)
        assert result.exit_code == 0, (words, result.output, result.exception)
        return result.stdout

    async def document(self, *words: str, **changes: str) -> Any:
        """The same, as JSON."""
        return from_json((await self.output(*words, "--json", **changes)).encode())
