"""The key of accounts and sessions is replaced while the console runs: nobody is signed out, each row has its seal."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

import httpx
import pytest

from infra.keys.hash_keys import accounts_key_files, load_hash_keys
from infra.keys.seals import Seals
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.world.commands import Yesser
from tests.world.consoles import PASSWORD, ConsoleApp, add_account, change_password, console, write_accounts_key

KILLED: Final = """
import os, signal, sys
from pathlib import Path
from infra.keys import hash_keys, resealing, rotation
from infra.keys.seals import Seals

def kill(*args, **options):
    os.kill(os.getpid(), signal.SIGKILL)

def at(name, wrapped):
    return lambda *given, **options: kill() if given[0].name == name else wrapped(*given, **options)

exec(sys.argv.pop(1))
from infra.cli import cli
cli()
"""
POINTS: Final = {
    "before the next key": "rotation.prepare_hash_key = kill",
    "before the rows": "resealing._reseal = kill",
    "between accounts and sessions": "Seals.of_session = kill",
    "before the files": "resealing.rotate_hash_key = kill",
    "before the current file": "hash_keys.write_private = at('key', hash_keys.write_private)",
    "before the next file is removed": "Path.unlink = at('key.next', Path.unlink)",
}
ROTATE: Final = ("keys", "rotate", "accounts")


@dataclass(frozen=True)
class Scene:
    """A console, somebody who is signed in, and the commands of its machine."""

    settings: Settings
    connection: Connection
    served: ConsoleApp
    client: httpx.AsyncClient
    yesser: Yesser

    async def require_all_is_well(self) -> None:
        """Who was signed in still is, others can sign in, and each row has a seal of a key that is known."""
        assert (await self.client.get("/account")).status_code == 200
        async with self.served.signed_in("other") as other:
            assert (await other.get("/account")).status_code == 200
        await self._require_seals(Seals.of(self.settings))

    async def rotate(self, *words: str) -> Any:
        return await self.yesser.document(*ROTATE, *words)

    async def require_only_the_new_key(self, old: str) -> None:
        """Every row has a seal of the key in use alone."""
        keys = load_hash_keys(accounts_key_files(self.settings))
        assert keys.current.text != old
        assert not accounts_key_files(self.settings).next.exists()
        await self._require_seals(Seals(keys.current.secret))

    async def _require_seals(self, seals: Seals) -> None:
        accounts = await self.connection.fetch("SELECT * FROM console.account")
        sessions = await self.connection.fetch("SELECT *, seal AS session_seal FROM console.session")
        assert all(map(seals.is_account, accounts))
        assert all(map(seals.is_session, sessions))
        assert len(sessions) >= 1


@pytest.fixture
async def scene(settings: Settings, connection: Connection, yesser: Yesser) -> AsyncIterator[Scene]:
    write_accounts_key(settings)
    for username in ("clerk", "other"):
        await add_account(connection, username, "office", subject=f"sub-{username}")
    async with console(settings) as served, served.signed_in("clerk") as client:
        yield Scene(settings, connection, served, client, yesser)


def current(settings: Settings) -> str:
    return load_hash_keys(accounts_key_files(settings)).current.text


async def test_a_new_key_signs_nobody_out(prepared: Settings, scene: Scene) -> None:
    for overlap in ("30", "0"):
        old = current(scene.settings)
        assert (await scene.rotate("--overlap", overlap))["state"] == "rotated"
        await scene.require_only_the_new_key(old)
        await scene.require_all_is_well()
        await scene.require_only_the_new_key(old)
        await scene.yesser.document("audit", "verify", "--database")

    old = current(scene.settings)
    carried = (await scene.rotate("--prepare"))["new"]
    await scene.require_all_is_well()
    assert (await scene.rotate("--overlap", "0"))["new"] == carried, "to other machines first"
    await scene.require_only_the_new_key(old)

    old, password = current(scene.settings), PASSWORD
    rotating = asyncio.create_task(scene.rotate("--overlap", "0"))
    for number in range(6):
        new = f"password number {number}"
        answer = await change_password(scene.client, password, new)
        assert answer.status_code == 303, answer.text
        password = new
    await rotating
    await scene.require_only_the_new_key(old)
    await scene.require_all_is_well()

    await scene.connection.execute("UPDATE console.account SET role = 'administrator' WHERE username = 'other'")
    await scene.rotate("--overlap", "0")
    row = await scene.connection.fetchrow("SELECT * FROM console.account WHERE username = 'other'")
    assert row is not None
    assert not Seals.of(scene.settings).is_account(row), "a row that was changed gets no seal"


async def test_a_rotation_that_is_killed_is_completed_by_the_next_one(scene: Scene) -> None:
    environment = dict(scene.yesser.environment)
    for point, killing in POINTS.items():
        old = current(scene.settings)
        command = [sys.executable, "-c", KILLED, killing, *ROTATE, "--overlap", "0"]
        killed = await asyncio.to_thread(subprocess.run, command, env=environment, capture_output=True, check=False)
        assert killed.returncode == -signal.SIGKILL, (point, killed.stderr.decode())
        await scene.require_all_is_well()
        await scene.rotate("--overlap", "0")
        await scene.require_only_the_new_key(old)
    await scene.require_all_is_well()
