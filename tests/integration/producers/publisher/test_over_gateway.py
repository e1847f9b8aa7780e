"""All that a programmer of an agency has is an address and a token."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from infra.postgres.connection import Connection
from infra.settings import Settings
from producers.agencies.tokens import TokenRequest, create_token, hash_key
from tests.world.commands import Yesser
from tests.world.events import changed
from tests.world.senders import initiative, publish, serving, with_health
from tests.world.topics import HEALTH_TOPIC, records

pytestmark = pytest.mark.stack

Environment = Callable[..., dict[str, str]]


async def test_a_file_is_published_over_a_gateway_with_a_token_alone(
    settings: Settings, connection: Connection, environment: Environment, tmp_path: Path
) -> None:
    path, again, state = tmp_path / "events.ndjson", tmp_path / "again.ndjson", tmp_path / "state"
    good, broken = [initiative(f"n{number}") for number in range(600)], initiative("broken")
    broken["subject"] = "initiative/other"
    conflicting = changed(initiative("n1"), "/data/name/en", "Another name")
    lines = b"\n".join(map(orjson.dumps, [*good, broken, good[0], conflicting]))
    async with with_health(settings, connection):
        token = await create_token(connection, hash_key(settings), TokenRequest("agency", "health", 1))
        async with serving(settings.model_copy(update={"gateway_port": 0})) as gateway:
            address = f"http://127.0.0.1:{gateway.port}"
            home = {"YESSER_HOME": str(tmp_path / "home"), "YESSER_TOKEN": token.token}

            async def run(*options: str | Path, code: int, **variables: str) -> Any:
                command = Yesser({**environment(), "YESSER_KAFKA": "", "YESSER_POSTGRES": "", **home, **variables})
                result = await command.run("publish", *map(str, (path, "--to", address, *options)), "--json")
                assert result.exit_code == code, (result.output, result.exception)
                return (
                    orjson.loads(result.stdout_bytes) if result.stdout_bytes else f"{result.stderr}{result.exception}"
                )

            path.write_bytes(orjson.dumps(broken))
            nothing = await run("--wait", code=1)
            path.write_bytes(lines)
            await publish(settings, orjson.dumps(initiative("before")))
            stored = await run(code=1)
            report = await run("--wait", "--refused", again, "--resume", state, code=1)
            same = await run("--wait", "--resume", state, code=1)
            raw = await run("--raw", "--wait", code=1)
            numbered = await run("--sequence", code=2)
            foreign = await run(code=1, YESSER_TOKEN=f"{token.token[:-4]}0000")
            of_another = await run("--agency", "labour", code=1)
            auditor = await create_token(connection, hash_key(settings), TokenRequest("auditor", "court", 1))
            of_nobody = await run(code=1, YESSER_TOKEN=auditor.token)
            away = await run("--timeout", "0.5", "--to", "http://127.0.0.1:9", code=1)
    assert "Not answered within 0.5 s" in away
    assert (nothing["refused"], nothing["accepted"]) == (1, 0), "no verdict is waited for where nothing was sent"
    assert (stored["lines"], stored["sent"], stored["problems"][0]["code"]) == (603, 602, "subject-mismatch")
    counts = ("lines", "accepted", "duplicates", "conflicts", "refused")
    assert [report[name] for name in counts] == [603, 0, 601, 1, 1]
    assert report["refused_lines"] == [601, 603]
    assert again.read_bytes() == b"".join(orjson.dumps(event) + b"\n" for event in (broken, conflicting))
    assert [row["index"] is None for row in report["problems"]] == [True, False]
    assert [same[name] for name in counts] == [report[name] for name in counts]
    assert same["problems"] == report["problems"], "the state file has what was stored"
    assert [raw[name] for name in counts] == [603, 0, 601, 1, 1], "the gateway stores no faulty event either"
    assert "--sequence" in numbered
    assert foreign.startswith("401 ")
    assert f"{token.key_id} is of agency health, not labour" in of_another
    assert f"{auditor.key_id} is of auditor court, with the scopes log:read" in of_nobody
    assert len(await records(settings, HEALTH_TOPIC)) == 1 + 3 * 602
