"""Prepares both services before any process starts: roles and users, secrets, tables, topics, rights. Repeatable."""

from __future__ import annotations

import asyncio
import os
import subprocess
from typing import Final

import structlog
from msgspec.structs import asdict

from infra.errors import StackError
from infra.principals import PRINCIPALS, SUPERUSER
from infra.process.subprocess_command import subprocess_command
from infra.secret_files import ACCOUNTS_KEY, CONSOLE_KEY, ENDPOINT_KEY, TEAMS_KEY, password
from infra.settings import Settings

COMMAND_TIMEOUT_S: Final = 300.0
logger = structlog.get_logger("prepare")


async def prepare_database(settings: Settings) -> None:
    """Create the roles where the superuser's password is here, and the tables with `yesser migrate`, which knows those
    of every package. On a given PostgreSQL its superuser has run the SQL of `yesser migrate --print-roles`."""
    if settings.secret("postgres", SUPERUSER) is not None:
        # Imported here: reading a stack's state needs no database driver.
        from infra.postgres.connection import connected, database_name
        from infra.postgres.roles import create_roles

        password(settings.secrets_folder / "delivery", ENDPOINT_KEY)
        for file, folder in (CONSOLE_KEY, ACCOUNTS_KEY, TEAMS_KEY):
            password(settings.secrets_folder / folder, file)
        passwords = {name: password(settings.secrets_folder / name, "postgres") for name in PRINCIPALS}
        async with connected(settings.acting_as(SUPERUSER), "roles", batch=True) as connection:
            await create_roles(connection, database_name(settings), passwords)
    # Indexes of large tables take their time. An interrupted build begins again, so nothing interrupts it.
    await _run(settings, "The database could not be migrated", "migrate", "--json", timeout_s=None)
    # A restored copy lacks what was revoked since; no process has answered anybody yet.
    from infra.keys.access_changes import reapply_at_start

    if (reapplied := await reapply_at_start(settings)) is not None and reapplied.applied:
        logger.warning("the database is an older copy: access that was taken since is taken again", **asdict(reapplied))


async def register_first_agencies(settings: Settings) -> None:
    """Run `yesser agencies genesis`: the log's first two entries and the office's access to Kafka."""
    await _run(settings, "The platform and the programme office could not be registered", "agencies", "genesis")


async def _run(settings: Settings, failure: str, *arguments: str, timeout_s: float | None = COMMAND_TIMEOUT_S) -> None:
    """Run a `yesser` command. Raises StackError with the last line of its output."""
    process = await asyncio.create_subprocess_exec(
        *subprocess_command(*arguments),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=os.environ | {"YESSER_HOME": str(settings.home)},
    )
    try:
        async with asyncio.timeout(timeout_s):
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
    """Create the platform's topics, users and rights."""
    # Imported here: reading a stack's state needs no Kafka client.
    from infra.kafka.admin import prepare_cluster

    await prepare_cluster(settings)
