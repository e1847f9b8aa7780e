"""The key of accounts and sessions is replaced while the console runs: nobody is signed out, each row has its seal."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any, Final

import httpx
import orjson
import pytest
from click.testing import CliRunner

from consumers.console.app import application
from consumers.operations.audit_command import audit
from infra.cli import cli
from infra.keys.hash_keys import accounts_key_files, load_hash_keys
from infra.keys.seals import Seals
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.integration.consumers.audit.conftest import prepared  # noqa: F401 (a fixture)
from tests.integration.consumers.console.at_the_console import ADDRESS, PASSWORD, add_account, console, csrf_of

KILLED: Final = """
import os, signal, sys
from pathlib import Path
from infra.keys import hash_keys, resealing, rotation
from infra.keys.seals import Seals

def kill(*args, **options):
    os.kill(os.getpid(), signal.SIGKILL)

def at(path, name, wrapped):
    return lambda *given, **options: kill() if path(given).name == name else wrapped(*given, **options)

first = lambda given: given[0]
{
    "before the next key": lambda: setattr(rotation, "prepare_hash_key", kill),
    "before the rows": lambda: setattr(resealing, "_reseal", kill),
    "between accounts and sessions": lambda: setattr(Seals, "of_session", kill),
    "before the files": lambda: setattr(resealing, "rotate_hash_key", kill),
    "before the current file": lambda: setattr(
        hash_keys, "write_private", at(first, "key", hash_keys.write_private)
    ),
    "before the next file is removed": lambda: setattr(Path, "unlink", at(first, "key.next", Path.unlink)),
}[sys.argv.pop(1)]()
from infra.cli import cli
cli()
"""
POINTS: Final = (
    "before the next key",
    "before the rows",
    "between accounts and sessions",
    "before the files",
    "before the current file",
    "before the next file is removed",
)
ROTATE: Final = ("keys", "rotate", "accounts", "--json")


class Scene:
    """A console, somebody who is signed in, and the commands of its machine."""

    def __init__(self, settings: Settings, connection: Connection, client: httpx.AsyncClient, app: Any) -> None:
        self.settings = settings
        self.connection = connection
        self.client = client
        self._app = app

    async def require_all_is_well(self) -> None:
        """Who was signed in still is, others can sign in, and an audit finds each seal."""
        assert (await self.client.get("/account")).status_code == 200
        transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=ADDRESS) as other:
            answer = await other.post("/sign-in", data={"username": "other", "password": PASSWORD})
            assert answer.status_code == 303
            assert (await other.get("/account")).status_code == 200
        result = await asyncio.to_thread(CliRunner().invoke, audit, ["verify", "--database", "--json"])
        assert result.exit_code == 0, result.output

    async def rotate(self, *words: str) -> dict[str, Any]:
        result = await asyncio.to_thread(CliRunner().invoke, cli, [*ROTATE, *words])
        assert result.exit_code == 0, (result.output, result.exception)
        found: dict[str, Any] = orjson.loads(result.stdout)
        return found

    async def require_only_the_new_key(self, old: str) -> None:
        """Every row has a seal of the key in use alone."""
        keys = load_hash_keys(accounts_key_files(self.settings))
        assert keys.current.text != old
        assert not accounts_key_files(self.settings).next.exists()
        new = Seals(keys.current.secret)
        accounts = await self.connection.fetch("SELECT * FROM console.account")
        sessions = await self.connection.fetch("SELECT *, seal AS session_seal FROM console.session")
        assert all(map(new.is_account, accounts))
        assert all(map(new.is_session, sessions))
        assert len(sessions) >= 1


@pytest.fixture
async def scene(
    prepared: Settings,  # noqa: F811
    connection: Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Scene]:
    assert prepared.postgres is not None
    monkeypatch.setenv("YESSER_POSTGRES", prepared.postgres)
    monkeypatch.setenv("YESSER_HOME", str(prepared.home))
    await add_account(connection, "other", "office", subject="sub-other")
    async with console(prepared) as parts:
        app = application(parts)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        cookies = {"yesser-language": "en"}
        async with httpx.AsyncClient(transport=transport, base_url=ADDRESS, cookies=cookies) as client:
            await client.post("/sign-in", data={"username": "desk", "password": PASSWORD})
            yield Scene(prepared, connection, client, app)


def current(settings: Settings) -> str:
    return load_hash_keys(accounts_key_files(settings)).current.text


@pytest.mark.parametrize("overlap", ["30", "0"])
async def test_a_new_key_signs_nobody_out(scene: Scene, overlap: str) -> None:
    old = current(scene.settings)
    await scene.require_all_is_well()
    done = await scene.rotate("--overlap", overlap)
    assert done["state"] == "rotated"
    await scene.require_only_the_new_key(old)
    await scene.require_all_is_well()
    await scene.require_only_the_new_key(old)


async def test_the_new_key_can_be_carried_to_other_machines_first(scene: Scene) -> None:
    old = current(scene.settings)
    prepared_key = (await scene.rotate("--prepare"))["new"]
    await scene.require_all_is_well()
    assert (await scene.rotate())["new"] == prepared_key
    await scene.require_only_the_new_key(old)
    await scene.require_all_is_well()


@pytest.mark.parametrize("point", POINTS)
async def test_a_rotation_that_is_killed_is_completed_by_the_next_one(scene: Scene, point: str) -> None:
    old = current(scene.settings)
    command = [sys.executable, "-c", KILLED, point, *ROTATE]
    killed = await asyncio.to_thread(subprocess.run, command, env=dict(os.environ), capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    await scene.require_all_is_well()
    await scene.rotate()
    await scene.require_only_the_new_key(old)
    await scene.require_all_is_well()


async def test_people_who_sign_in_and_change_passwords_meanwhile_have_seals_of_the_new_key(scene: Scene) -> None:
    old = current(scene.settings)
    password, csrf = PASSWORD, csrf_of((await scene.client.get("/account")).text)
    rotating = asyncio.create_task(scene.rotate("--overlap", "0"))
    for number in range(6):
        new = f"password number {number}"
        given = {"csrf": csrf, "password": password, "new_password": new}
        answer = await scene.client.post("/account/password", data=given)
        assert answer.status_code == 303, answer.text
        password, csrf = new, csrf_of((await scene.client.get("/account")).text)
    await rotating
    await scene.require_only_the_new_key(old)
    await scene.require_all_is_well()


async def test_a_rotation_gives_no_seal_to_a_row_that_was_changed(scene: Scene) -> None:
    await scene.connection.execute("UPDATE console.account SET role = 'administrator' WHERE username = 'other'")
    await scene.rotate()
    row = await scene.connection.fetchrow("SELECT * FROM console.account WHERE username = 'other'")
    assert row is not None
    assert not Seals.of(scene.settings).is_account(row)
