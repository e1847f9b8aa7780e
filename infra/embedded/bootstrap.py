"""Prepares both services before any process starts: tables, topics, rights. Repeatable."""

from __future__ import annotations

import asyncio
import os
import subprocess
from typing import Final

from infra.errors import StackError
from infra.process.subprocess_command import subprocess_command
from infra.settings import Settings

COMMAND_TIMEOUT_S: Final = 300.0


async def migrate_database(settings: Settings) -> None:
    """Run `yesser migrate`, which knows the tables of every package."""
    await _run(settings, "The database could not be migrated", "migrate", "--json")


async def register_first_agencies(settings: Settings) -> None:
    """Run `yesser agencies genesis`: the log's first two entries and the office's access to Kafka."""
    await _run(settings, "The platform and the programme office could not be registered", "agencies", "genesis")


async def _run(settings: Settings, failure: str, *arguments: str) -> None:
    """Run a `yesser` command. Raises StackError with the last line of its output."""
    process = await asyncio.create_subprocess_exec(
        *subprocess_command(*arguments),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=os.environ | {"YESSER_HOME": str(settings.home)},
    )
    try:
        async with asyncio.timeout(COMMAND_TIMEOUT_S):
            _, output = await process.communicate()
    except (asyncio.CancelledError, TimeoutError):
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        lines = output.decode("utf-8", "replace").strip().splitlines()
        words = lines[-1].removeprefix("yesser: ") if lines else f"exit code {process.returncode}"
        raise StackError(f"{failure}: {words}")


async def prepare_kafka(settings: Settings) -> None:
    """Create the platform's topics and rights."""
    # Imported here: reading a stack's state needs no Kafka client.
    from infra.kafka.admin import prepare_cluster

    await prepare_cluster(settings)
