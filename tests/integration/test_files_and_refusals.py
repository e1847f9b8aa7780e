"""A table is published, goes on where it stopped, gives refused rows back; what was refused finds its correction."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from infra.postgres import Connection
from infra.settings import Settings
from tests.integration.test_publish import with_health

Environment = Callable[..., dict[str, str]]
MAPPING = """
[constants]
"/type" = "sa.gov.yesser.awareness.initiative-announced.v1"
"/time" = "2006-01-01T00:00:00Z"
"/data/aim" = {ar = "هدف", en = "Aim"}
[templates]
"/id" = "announced-{code}"
"/subject" = "initiative/{code}"
[columns]
code = {pointer = "/data/initiative_id"}
ar = {pointer = "/data/name/ar"}
en = {pointer = "/data/name/en"}
on = {pointer = "/data/on"}
"""
TABLE = "code,ar,en,on\nONE,أول,One,2006-01-01\nTWO,ثان,Two,soon\nTHREE,ثالث,Three,2006-01-03\n"


async def yesser(environment: Environment, *arguments: str | Path, code: int = 0) -> Any:
    """What a command prints as JSON, run as a user runs it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "infra.cli", *map(str, arguments), "--json"),
        env=environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, error = await process.communicate()
    assert process.returncode == code, error.decode() + out.decode()
    return orjson.loads(out)


async def test_a_table_goes_on_where_it_stopped_and_gives_its_refused_rows_back(
    settings: Settings, connection: Connection, environment: Environment, tmp_path: Path
) -> None:
    mapping, table, state, refused = (tmp_path / name for name in ("map.toml", "t.csv", "state", "refused.csv"))
    mapping.write_text(MAPPING, encoding="utf-8")
    table.write_text(TABLE, encoding="utf-8")
    publish = ("publish", table, "--agency", "health", "--mapping", mapping)
    async with with_health(settings, connection):
        first = await yesser(environment, *publish, "--resume", state)
        with table.open("a", encoding="utf-8") as file:
            file.write("FOUR,رابع,Four,2006-01-04\n")
        again = await yesser(environment, *publish, "--resume", state, "--refused", refused, code=1)
        refused.write_text(refused.read_text(encoding="utf-8").replace("soon", "2006-01-02"), encoding="utf-8")
        corrected = await yesser(environment, "publish", refused, "--agency", "health", "--mapping", mapping, "--wait")
    assert (first["lines"], first["sent"]) == (3, 3)
    assert (again["lines"], again["accepted"], again["duplicates"], again["refused"]) == (4, 3, 0, 1)
    assert [(row["line"], row["id"], row["pointer"]) for row in again["problems"]] == [(3, "announced-TWO", "/data/on")]
    assert again["refused_lines"] == [3]
    assert refused.read_text(encoding="utf-8") == "code,ar,en,on\nTWO,ثان,Two,2006-01-02\n"
    assert (corrected["lines"], corrected["accepted"]) == (1, 1)
    assert await connection.fetchval("SELECT next_offset FROM log.read_position WHERE topic LIKE '%health%'") == 5
