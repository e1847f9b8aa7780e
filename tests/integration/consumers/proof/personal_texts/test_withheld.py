"""A free text is withheld: shown before, deleted once, and named afterwards by whom and why; nothing else goes."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import pytest

from consumers.proof.personal_texts.withholding import CannotWithhold, NotWithheldYet
from consumers.relay.relay import Relay
from infra.log.reader import read_checked
from infra.postgres.connection import Connection, connected
from infra.postgres.trail import trail_rows
from infra.settings import Settings
from tests.world.commands import yesser, yesser_json
from tests.world.logs_with_texts import service_suspended
from tests.world.records import said
from tests.world.registrars import found, registrar, until_size
from tests.world.topics import HEALTH_TOPIC, send
from tests.world.waits import running

SARA: Final = {"ar": "إجازة Sara AL-Ghamdi", "en": "Sara AL-Ghamdi is on leave"}
WHY: Final = (
    *("--reason-ar", "طلب صاحبة الاسم", "--reason-en", "The person asked"),
    *("--legal-basis-ar", "نظام حماية البيانات الشخصية", "--legal-basis-en", "Personal Data Protection Law"),
)
PROPOSE: Final = ("withheld", "propose", "3", "/data/reason", *WHY)


@asynccontextmanager
async def a_text_in_the_log(settings: Settings, connection: Connection) -> AsyncIterator[None]:
    """Entry 3 has a text, entry 4 has none; two records were refused, of which the second repeats the text."""
    await found(settings, "health")
    first = service_suspended("one", "Sara AL-Ghamdi")
    again = first.replace(b'"2005-05-05"', b'"2005-02-30"')
    await send(settings, HEALTH_TOPIC, first, said("two"), b'{"by":"me"', again)
    async with running(registrar(settings), Relay(settings)):
        await until_size(connection, 7)
        yield


async def test_a_text_is_withheld_and_everything_that_repeats_it_goes(
    settings: Settings, connection: Connection
) -> None:
    async with a_text_in_the_log(settings, connection):
        entries = await read_checked(connection, 0, 7)
        shown = await yesser(settings, *PROPOSE)
        assert (shown.exit_code, SARA["en"] in shown.stdout, "Nothing was done" in shown.stdout) == (1, True, True)
        code, before = await yesser_json(settings, *PROPOSE)
        assert (code, before["text"], before["refused_records"], before["withheld_by"]) == (1, SARA, [6], None)
        code, done = await yesser_json(settings, *PROPOSE, "--yes")
        assert (code, done["text"], done["withheld_by"]) == (0, None, 7)
        assert done["further"] == [f"yesser erase {HEALTH_TOPIC} 0 --yes", "yesser withheld purge"]
        assert await read_checked(connection, 0, 7) == entries, "no entry changes"
        again = await yesser(settings, *PROPOSE, "--yes")
        assert isinstance(again.exception, CannotWithhold)
        assert "withheld already, by entry 7" in str(again.exception)

    row = await connection.fetchrow("SELECT salt, value, withheld_index FROM log.text WHERE index = 3")
    assert row is not None
    assert (row["salt"], row["withheld_index"], "Sara" in row["value"]) == (None, 7, False)
    assert [row[0] for row in await connection.fetch("SELECT index FROM log.dead_letter")] == [5]
    code, listed = await yesser_json(settings, "withheld", "list")
    assert (code, [(one["entry"], one["pointer"], one["withheld_by"]) for one in listed]) == (
        0,
        [(3, "/data/reason", 7)],
    )
    assert (listed[0]["operator"], listed[0]["confirmed_by"]) == ("desk", [])
    assert listed[0]["legal_basis"]["en"] == "Personal Data Protection Law"
    code, texts = await yesser_json(settings, "withheld", "show", "3")
    assert (code, texts) == (0, listed)
    by_hand = await yesser(settings, "withheld", "show", "3")
    assert "The person asked (Personal Data Protection Law)" in by_hand.stdout
    assert (await yesser(settings, "find-person", "sara al ghamdi")).exit_code == 1
    code, checked = await yesser_json(settings, "withheld", "check")
    basis = {"ar": "نظام حماية البيانات الشخصية", "en": "Personal Data Protection Law"}
    by = [{"count": 1, "operator": "desk", "confirmed_by": [], "legal_basis": basis}]
    assert (code, checked) == (0, {"count": 0, "withheld": 1, "lacking": 0, "held": [], "by": by, "ok": True})
    in_both = await yesser(settings, "--lang", "both", "withheld", "check")
    plain = re.sub("[\u2066-\u2069]", "", in_both.stdout)
    assert "desk withheld 1; confirmed by: -; legal basis: Personal Data Protection Law." in plain
    assert "عدد ما حجبه desk: 1؛ أكّده: -؛ السند النظامي: نظام حماية البيانات الشخصية." in plain
    lose = "ALTER TABLE log.text DISABLE TRIGGER USER; DELETE FROM log.text; ALTER TABLE log.text ENABLE TRIGGER USER"
    async with connected(settings.acting_as("superuser"), "test") as superuser:
        await superuser.execute(lose)
    code, checked = await yesser_json(settings, "withheld", "check")
    assert (code, checked["lacking"], checked["ok"]) == (1, 1, False)


NO_TEXTS: Final = (
    (7, "/data/reason", "there is no entry 7: the log has 7"),
    (4, "/data/aim", "entry 4 has no text beside it"),
    (3, "/data/service_id", "/data/service_id is no free text of entry 3, which has /data/reason"),
    (3, "/data/reason/ar", "which has /data/reason"),
)


async def test_what_cannot_be_withheld_is_refused_a_person_is_found_and_who_sees_no_entry_in_time_is_told_where_to_look(
    settings: Settings, connection: Connection
) -> None:
    async with a_text_in_the_log(settings, connection):
        pass
    for index, pointer, words in NO_TEXTS:
        refused = await yesser(settings, "withheld", "propose", str(index), pointer, *WHY, "--yes")
        assert isinstance(refused.exception, CannotWithhold)
        assert words in str(refused.exception)
    personal = await yesser(settings, *PROPOSE[:-1], "asked by 1000000008", "--yes")
    assert "personal-data at /data/legal_basis" in str(personal.exception)
    assert not await connection.fetchval("SELECT count(*) FROM platform.trail")
    code, places = await yesser_json(settings, "find-person", "SARA AL GHAMDI")
    assert code == 0
    assert [(place["index"], place["pointer"], place["command"].split(" --")[0]) for place in places] == [
        *[(3, f"/data/reason/{language}", "yesser withheld propose 3 /data/reason") for language in SARA],
        *[(6, f"/data/reason/{language}", f"yesser erase {HEALTH_TOPIC} 3") for language in SARA],
    ]
    late = await yesser(settings, *PROPOSE, "--yes", "--timeout", "0.1")
    assert isinstance(late.exception, NotWithheldYet)
    async with running(registrar(settings), Relay(settings)):
        await until_size(connection, 8)
    assert (await yesser_json(settings, "withheld", "list"))[1][0]["withheld_by"] == 7


async def test_the_files_of_the_tables_have_nothing_left_of_it(settings: Settings, connection: Connection) -> None:
    async with a_text_in_the_log(settings, connection):
        await connection.execute("ANALYZE log.text, log.dead_letter")
        assert {"text", "dead_letter", "pg_statistic"} <= await holding(settings, SARA["ar"].encode())
        assert (await yesser_json(settings, *PROPOSE, "--yes"))[0] == 0
    assert "text" in await holding(settings, SARA["ar"].encode()), "a page keeps what was deleted in it"
    code, purged = await yesser_json(settings, "withheld", "purge")
    assert (code, purged["withheld"], purged["backups"], purged["backups_until"]) == (0, 1, [], None)
    *_, row = [row async for row in trail_rows(connection)]
    assert (row["operator"], row["command"], row["role"]) == ("desk", "withheld purge (1)", "yesser_owner")
    assert len(purged["wal_file"]) == 24
    for text in SARA.values():
        assert await holding(settings, text.encode()) == set()


async def holding(settings: Settings, text: bytes) -> set[str]:
    """The tables and indexes of which a file has these bytes."""
    async with connected(settings.acting_as("superuser"), "test") as superuser:
        await superuser.execute("CHECKPOINT")
        rows = await superuser.fetch(FILES)
        assert len(rows) > 100
        return {row["name"] for row in rows if await superuser.fetchval(HOLDS, row["path"], row["size"], text)}


FILES: Final = """
SELECT c.relname AS name, pg_relation_filepath(c.oid) AS path, (pg_stat_file(pg_relation_filepath(c.oid))).size AS size
FROM pg_class c WHERE pg_relation_filepath(c.oid) IS NOT NULL AND c.relpersistence = 'p'
"""
"""The file of each table, index and TOAST table."""
HOLDS: Final = "SELECT position($3::bytea IN pg_read_binary_file($1, 0, $2)) > 0"


@pytest.fixture(autouse=True)
def operator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YESSER_OPERATOR", "desk")
