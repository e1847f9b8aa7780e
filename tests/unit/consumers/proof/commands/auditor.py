"""An auditor who runs `yesser audit` with an own folder of accepted checkpoints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from events.errors import YesserError
from infra.cli import cli
from infra.command_line.exit_codes import ExitCode, exit_code
from tests.world.memory_log import KEY


class Auditor:
    """`settings` are those of its environment beside the folders."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.checkpoints = folder / "state" / "yesser" / "checkpoints"
        self.settings: dict[str, str] = {}

    def run(self, *command: str | Path, vkey: str | None = KEY.verifier.vkey) -> Result:
        folders = {"XDG_STATE_HOME": str(self.folder / "state"), "YESSER_HOME": str(self.folder / "no-home")}
        key = () if vkey is None else ("--vkey", vkey)
        return CliRunner().invoke(cli, ["audit", *map(str, command), *key], env=folders | self.settings)

    def ok(self, *command: str | Path) -> dict[str, Any]:
        """The document of a command that says yes."""
        result = self.run(*command, "--json")
        assert result.exit_code == 0, (result.output, result.exception)
        document: dict[str, Any] = json.loads(result.stdout)
        return document

    def fails(self, error: type[YesserError], *command: str | Path) -> str:
        """What a command says that finds tampering."""
        result = self.run(*command)
        assert isinstance(result.exception, error), (result.output, result.exception)
        assert exit_code(result.exception) == ExitCode.TAMPERED
        return str(result.exception)
