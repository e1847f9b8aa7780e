"""`yesser trail`: a list, what follows a position, what is about an event, and JSON lines for a SIEM."""

from __future__ import annotations

import asyncio
import json
import signal
import sys

from infra.postgres.connection import Connection
from infra.postgres.trail import Actor, add_to_trail
from infra.process.subprocess_command import subprocess_environment
from infra.settings import Settings
from tests.world.commands import yesser_json


async def add(connection: Connection, command: str, event_ids: list[str] | None = None) -> None:
    await add_to_trail(connection, command, by=Actor(operator="night desk"), event_ids=event_ids)


async def test_a_reader_continues_finds_and_follows_until_a_signal(settings: Settings, connection: Connection) -> None:
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
    for position, number in ((4, signal.SIGTERM), (6, signal.SIGINT)):
        await add(connection, "keys a")
        lines, code = await followed(settings, connection, position - 1, number)
        assert lines == [(position, "keys a"), (position + 1, "keys b\nc")]
        assert code == 0, number


async def followed(
    settings: Settings, connection: Connection, after: int, number: signal.Signals
) -> tuple[list[tuple[int, str]], int]:
    """A line that was there and one that comes, and how the command ended."""
    arguments = (sys.executable, "-m", "infra.cli", "trail", "--after", str(after), "--follow")
    process = await asyncio.create_subprocess_exec(
        *arguments, stdout=asyncio.subprocess.PIPE, env=subprocess_environment(settings)
    )
    assert process.stdout is not None
    try:
        first = json.loads(await asyncio.wait_for(process.stdout.readline(), 60))
        await add(connection, "keys b\nc")
        second = json.loads(await asyncio.wait_for(process.stdout.readline(), 60))
    finally:
        process.send_signal(number)
        code = await asyncio.wait_for(process.wait(), 30)
    return [(row["position"], row["command"]) for row in (first, second)], code
