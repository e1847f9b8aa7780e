"""`yesser trail`: a list, what follows a position, what is about an event, and JSON lines for a SIEM."""

from __future__ import annotations

import asyncio
import json
import signal
import sys

import pytest

from infra.postgres.connection import Connection
from infra.postgres.trail import Actor, add_to_trail
from infra.process.subprocess_command import subprocess_environment
from infra.settings import Settings
from tests.world.commands import yesser_json


async def add(connection: Connection, command: str, event_ids: list[str] | None = None) -> None:
    await add_to_trail(connection, command, by=Actor(operator="night desk"), event_ids=event_ids)


async def test_a_reader_continues_and_finds_an_event(settings: Settings, connection: Connection) -> None:
    await add(connection, "keys a")
    await add(connection, "publish x", ["e1", "e2"])
    await add(connection, "keys b")
    code, rows = await yesser_json(settings, "trail")
    assert (code, [row["position"] for row in rows]) == (0, [1, 2, 3])
    assert rows[1].keys() == {
        "position", "at", "role", "account", "operator", "host", "command", "event_ids", "sha256",
    }  # fmt: skip
    assert [row["command"] for row in (await yesser_json(settings, "trail", "--after", "2"))[1]] == ["keys b"]
    assert [row["command"] for row in (await yesser_json(settings, "trail", "--event", "e2"))[1]] == ["publish x"]
    assert (await yesser_json(settings, "trail", "--since", "2999-01-01T00:00:00Z"))[1] == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_follower_gets_each_row_as_a_line_and_ends_by_a_signal(
    settings: Settings, connection: Connection, number: signal.Signals
) -> None:
    await add(connection, "keys a")
    await add(connection, "keys b\nc")
    arguments = (sys.executable, "-m", "infra.cli", "trail", "--after", "1", "--follow")
    process = await asyncio.create_subprocess_exec(
        *arguments, stdout=asyncio.subprocess.PIPE, env=subprocess_environment(settings)
    )
    assert process.stdout is not None
    try:
        first = json.loads(await asyncio.wait_for(process.stdout.readline(), 60))
        await add(connection, "keys d")
        second = json.loads(await asyncio.wait_for(process.stdout.readline(), 60))
    finally:
        process.send_signal(number)
        code = await asyncio.wait_for(process.wait(), 30)
    assert [(row["position"], row["command"]) for row in (first, second)] == [(2, "keys b\nc"), (3, "keys d")]
    assert code == 0
