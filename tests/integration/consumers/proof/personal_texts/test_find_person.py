"""Where a person is named: in entries and in refused records, and nothing of the search but its count is kept."""

from __future__ import annotations

from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.world.commands import yesser, yesser_json
from tests.world.records import said
from tests.world.registrars import found, registrar, until_size
from tests.world.topics import HEALTH_TOPIC, send
from tests.world.waits import running


async def test_a_person_is_found_wherever_an_agency_named_her(settings: Settings, connection: Connection) -> None:
    await found(settings, "health")
    await send(
        settings, HEALTH_TOPIC, said("one", "word"), said("two", "Sara AL-Ghamdi asked"), b'{"by":"SARA Al Ghamdi'
    )
    async with running(registrar(settings)):
        await until_size(connection, 6)

    code, places = await yesser_json(settings, "find-person", "sara al ghamdi")
    assert code == 0
    assert [(place["index"], place["is_refused"], place["agency"], place["pointer"]) for place in places] == [
        (4, False, "health", "/data/aim/en"),
        (4, False, "health", "/data/name/en"),
        (5, True, "health", ""),
    ]
    shown = await yesser(settings, "find-person", "sara al ghamdi", "--agency", "health")
    assert shown.exit_code == 0
    assert "Sara AL-Ghamdi asked" in shown.stdout
    nobody = await yesser(settings, "find-person", "Nobody at all")
    assert (nobody.exit_code, "holds this text" in nobody.stdout) == (1, True)
    short = await yesser(settings, "find-person", "ab")
    assert (short.exit_code, "at least 3 letters" in short.stderr) == (2, True)

    rows = await connection.fetch(
        "SELECT t::text FROM platform.trail t WHERE command LIKE 'find-person%' ORDER BY row_id"
    )
    assert len(rows) == 3
    assert all("hamdi" not in row[0].casefold() and "nobody" not in row[0].casefold() for row in rows)
    assert "find-person (3)" in rows[0][0]
    assert "find-person --agency health (3)" in rows[1][0]
