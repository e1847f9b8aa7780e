"""A mirror of a log in memory, and the commands that an auditor runs over it without a home."""

from __future__ import annotations

import asyncio
from pathlib import Path

from click.testing import CliRunner, Result

from consumers.proof.audit.mirror import write_mirror
from infra.cli import cli
from tests.world.memory_log import KEY, MemoryLog


async def mirrored(folder: Path, raw: list[bytes]) -> Path:
    await write_mirror(MemoryLog(raw), folder, KEY.verifier)
    return folder


async def replay(folder: Path, *arguments: str) -> Result:
    return await asyncio.to_thread(run, folder, "audit", "replay", *arguments)


def run(folder: Path, *command: str) -> Result:
    environment = {"XDG_STATE_HOME": str(folder / "state"), "YESSER_HOME": str(folder / "no-home")}
    return CliRunner().invoke(cli, [*command, "--vkey", KEY.verifier.vkey], env=environment)
