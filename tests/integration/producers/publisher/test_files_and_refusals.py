"""A table is published, goes on where it stopped, gives refused rows back; what was refused finds its correction."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from infra.log.refusals.documents import Correction
from infra.postgres.connection import Connection
from infra.settings import Settings
from producers.refusals.documents import CannotRedrive, NoSuchRefusal
from producers.refusals.read import shown
from producers.refusals.redrive import redrive
from tests.world.commands import Yesser
from tests.world.events import changed
from tests.world.senders import initiative, publish, with_health
from tests.world.topics import HEALTH_TOPIC, records

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
    """What a command prints as JSON. The registrar of the test runs in this process, and may log amid it."""
    result = await Yesser(environment()).run(*map(str, arguments), "--json")
    assert result.exit_code == code, (result.output, result.exception)
    lines = [line for line in result.stdout_bytes.splitlines() if line.startswith((b"{", b"}", b"[", b"]", b" "))]
    return orjson.loads(b"\n".join(lines))


async def test_a_table_goes_on_where_it_stopped_and_gives_its_refused_rows_back(
    settings: Settings, connection: Connection, environment: Environment, tmp_path: Path
) -> None:
    mapping, table, state, refused = (tmp_path / name for name in ("map.toml", "t.csv", "state", "refused.csv"))
    unmapped = tmp_path / "unmapped.csv"
    unmapped.write_text("الهوية,التاريخ\n" + "1000000008,2006-01-01\n" * 3, encoding="utf-8")
    mapping.write_text(MAPPING, encoding="utf-8")
    table.write_text(TABLE, encoding="utf-8")
    publish = ("publish", table, "--agency", "health", "--mapping", mapping)
    async with with_health(settings, connection):
        for options in ((), ("--wait",), ("--resume", str(tmp_path / "none"))):
            sent = await Yesser(environment()).run("publish", str(unmapped), "--agency", "health", *options)
            assert (sent.exit_code, sent.stdout) == (2, "")
            assert "--mapping" in sent.stderr
            assert "1000000008" not in sent.stderr
        assert await records(settings, HEALTH_TOPIC) == []
        raw = await yesser(environment, "publish", unmapped, "--agency", "health", "--raw", "--wait", code=1)
        assert (raw["lines"], raw["refused"]) == (4, 4), "unless it is to go raw"

        first = await yesser(environment, *publish, "--resume", state, code=1)
        with table.open("a", encoding="utf-8") as file:
            file.write("FOUR,رابع,Four,2006-01-04\n")
        again = await yesser(environment, *publish, "--resume", state, "--refused", refused, code=1)
        refused.write_text(refused.read_text(encoding="utf-8").replace("soon", "2006-01-02"), encoding="utf-8")
        corrected = await yesser(environment, "publish", refused, "--agency", "health", "--mapping", mapping, "--wait")
        same = ("publish", refused, "--agency", "health", "--mapping", mapping, "--refused", tmp_path / "none.csv")
        clean = await Yesser(environment()).run(*map(str, same))
    assert (clean.exit_code, "1 duplicates" in clean.stdout, "none.csv" in clean.stdout) == (0, True, False), (
        clean.stdout
    )
    assert (first["lines"], first["sent"]) == (3, 2)
    assert (again["lines"], again["accepted"], again["duplicates"], again["refused"]) == (4, 3, 0, 1)
    assert (first["problems"], first["refused"]) == (again["problems"], None), "it is validated before it is sent"
    assert [(row["line"], row["id"], row["pointer"], row["index"]) for row in again["problems"]] == [
        (3, "announced-TWO", "/data/on", None)
    ]
    assert again["refused_lines"] == [3]
    assert refused.read_text(encoding="utf-8") == "code,ar,en,on\nTWO,ثان,Two,2006-01-02\n"
    assert (corrected["lines"], corrected["accepted"]) == (1, 1)
    assert (
        await connection.fetchval("SELECT next_offset FROM log.read_position WHERE topic LIKE '%health%'") == 4 + 4 + 1
    ), "a faulty row is never sent"


async def test_a_killed_publisher_goes_on_at_its_bookmark_and_exit_codes_say_what_is_known_of_the_lines(
    settings: Settings, connection: Connection, environment: Environment, tmp_path: Path
) -> None:
    path, state = tmp_path / "events.ndjson", tmp_path / "state"
    lines = [orjson.dumps(initiative(f"n{number}")) + b"\n" for number in range(400)]
    path.write_bytes(b"".join(lines))
    good, bad, late = (tmp_path / name for name in ("good.ndjson", "bad.ndjson", "late.ndjson"))
    good.write_bytes(orjson.dumps(initiative("one")))
    bad.write_bytes(orjson.dumps(initiative("two")) + b'\n{"id":"three"}\n')
    late.write_bytes(orjson.dumps(initiative("four")) + b"\n" + orjson.dumps(initiative("five")))
    agency = ("--agency", "health")
    async with with_health(settings, connection):
        publish = ("publish", *agency, "--resume", str(state))
        killed = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "infra.cli", *publish, "-"), env=environment(), stdin=asyncio.subprocess.PIPE
        )
        assert killed.stdin is not None
        for line in lines[:-50]:
            killed.stdin.write(line)
            await asyncio.sleep(0.02)
            if state.exists():
                break
        killed.kill()
        await killed.wait()
        passed = orjson.loads(state.read_bytes())["lines"]
        report = await yesser(environment, *publish, path, "--wait")
        assert await connection.fetchval("SELECT count(*) FROM log.event_id e WHERE index >= 3") == 400

        stored = await yesser(environment, "publish", good, *agency)
        again = await yesser(environment, "publish", good, *agency, "--wait")
        refused = await yesser(environment, "publish", bad, *agency, "--wait", code=1)
        raw = await yesser(environment, "publish", bad, *agency, "--raw", "--wait", code=1)
    unknown = await yesser(environment, "publish", late, *agency, "--wait", "--timeout", "0.3", code=75)
    assert 0 < passed < 400
    assert (report["lines"], report["accepted"] + report["duplicates"], report["problems"]) == (400, 400, [])
    assert report["accepted"] >= passed
    assert [stored[name] for name in ("accepted", "duplicates", "conflicts", "refused")] == [None] * 4
    assert (stored["sent"], stored["unknown"], stored["problems"]) == (1, 1, [])
    assert (again["duplicates"], "unknown" in again) == (1, False)
    assert (refused["accepted"], refused["refused"], {row["index"] for row in refused["problems"]}) == (1, 1, {None})
    assert (raw["duplicates"], raw["refused"], {row["index"] for row in raw["problems"]}) == (
        1,
        1,
        {raw["last_index"] + 1},
    )
    assert (unknown["sent"], unknown["unknown"], unknown["refused"]) == (2, 2, 0)


async def test_a_refusal_leads_to_the_entry_of_its_correction(
    settings: Settings, connection: Connection, environment: Environment, tmp_path: Path
) -> None:
    wrong = {**initiative("one"), "subject": "initiative/two"}
    other = {**initiative("four"), "mood": "good"}
    personal = changed(initiative("five"), "/data/name/en", "National id 1000000008")
    corrected = tmp_path / "corrected.json"
    corrected.write_bytes(orjson.dumps(initiative("one"), option=orjson.OPT_INDENT_2))
    async with with_health(settings, connection):
        lines = [wrong, other, initiative("three"), initiative("three", "Another"), personal]
        report = await publish(settings, b"\n".join(map(orjson.dumps, lines)))
        first, second, conflict, secret = sorted({row.index or 0 for row in report.problems()})
        assert (await shown(connection, first)).accepted is None

        as_it_came = await redrive(settings, first, None, 20)
        assert (as_it_came.state, as_it_came.errors[0].code) == ("not-sent", "subject-mismatch")
        held = await redrive(settings, conflict, None, 20)
        assert (held.state, held.errors[0].code, held.index) == ("not-sent", "conflict", 5)
        with pytest.raises(CannotRedrive, match="was not kept"):
            await redrive(settings, secret, None, 20)
        with pytest.raises(NoSuchRefusal, match="entry 5 is not a refusal"):
            await redrive(settings, 5, None, 20)

        sent = await yesser(environment, "refusals", "redrive", str(first), "--from", corrected)
        again = await redrive(settings, first, corrected.read_bytes(), 20)
        by_id = await publish(settings, orjson.dumps(initiative("four")))
        new_id = await redrive(settings, secret, orjson.dumps(initiative("six")), 20)
        await require_what_an_office_says_is_judged_anew(settings, connection)
    assert (sent["state"], sent["errors"]) == ("registered", [])
    assert (again.state, again.index) == ("duplicate", sent["index"])
    listed = {row["index"]: row["accepted_index"] for row in await yesser(environment, "refusals", "list")}
    left = [row["index"] for row in await yesser(environment, "refusals", "list", "--open")]
    assert (listed[first], listed[second], listed[secret]) == (
        sent["index"],
        by_id.document().first_index,
        new_id.index,
    )
    assert left == [index for index, accepted in listed.items() if accepted is None]
    assert conflict in left, "what has its id came before it"
    document = await yesser(environment, "refusals", "show", str(first))
    assert document["accepted"] == {"index": sent["index"], "by": "redrive"}
    assert document["unlisted"] == 0
    assert [(row["code"], row["pointer"]) for row in document["errors"]] == [("subject-mismatch", "/subject")]
    assert document["errors"][0]["detail_ar"] != document["errors"][0]["detail"]
    assert [row["accepted_index"] for row in document["redrives"]] == [sent["index"]]
    assert (await shown(connection, second)).accepted == Correction(by_id.document().first_index or 0, "same-id")
    in_the_way = await shown(connection, conflict)
    assert (in_the_way.accepted, in_the_way.id_held_by) == (None, 5)
    hidden = await shown(connection, secret)
    assert (hidden.kept, hidden.claimed_id, hidden.sha256) == (False, None, None)
    assert hidden.accepted == Correction(new_id.index or 0, "redrive")


async def require_what_an_office_says_is_judged_anew(settings: Settings, connection: Connection) -> None:
    """What its reason no longer holds for is sent as it came."""
    quota = {
        **initiative("quota"),
        "type": "sa.gov.yesser.training.quota-set.v1",
        "subject": "quota/gregorian/2006/usage",
        "data": {"calendar": "gregorian", "year": 2006, "track": "usage", "seats": 10},
    }
    report = await publish(settings, orjson.dumps(quota))
    (index,) = {row.index or 0 for row in report.problems()}
    result = await redrive(settings, index, None, 20)
    assert (result.state, result.errors[0].code) == ("not-sent", "not-authorised")
    await connection.execute("UPDATE platform.agency SET role = 'office' WHERE code = 'health'")
    # The registrar takes the role from the log: it refuses again, and the result names the new refusal.
    again = await redrive(settings, index, None, 20)
    assert (again.state, again.errors[0].code, again.index) == ("refused", "not-authorised", index + 1)
