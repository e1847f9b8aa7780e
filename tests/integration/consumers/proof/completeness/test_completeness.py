"""The completeness of numbers from the database, a mirror and an export: one document, and that of the tables."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from click.testing import Result

from consumers.registrar.batch import Batch, number
from consumers.registrar.journal import Journal
from infra.log.reader import read_checked
from infra.postgres.connection import Connection
from infra.postgres.verdicts import Known
from infra.private_keys.key_files import log_key_files
from infra.settings import Settings
from producers.gateway.verdicts import completeness
from tests.world.commands import yesser, yesser_json
from tests.world.logs import open_journal, sign
from tests.world.memory_log import KEY
from tests.world.mirrors import mirrored
from tests.world.records import HEALTH, LABOUR, NOW, PLATFORM, read, registered, said, values

VKEY = KEY.verifier.vkey
OCTOBER, NOVEMBER = "2026-10-05T08:00:00.000000Z", "2026-11-25T08:00:00.000000Z"


def health(*numbers: int) -> list[bytes]:
    return [said(f"h{number}", sequence=number) for number in numbers]


async def register(journal: Journal) -> None:
    """October: 1 and 2, a refused 3, an agency without numbers. November: 5, 7, the corrected 3, and 5 again."""
    refused = said("h3", sequence=3).replace(b'"on":"2005-05-05"', b'"on":"2005-99-05"')
    repeated = said("again", sequence=5)
    history = [
        (OCTOBER, [read(PLATFORM, values(registered("platform", "platform"), registered("yesser", "office")))]),
        (OCTOBER, [read(PLATFORM, values(registered("health"), registered("labour"), first=2))]),
        (OCTOBER, [read(HEALTH, values(*health(1, 2), refused)), read(LABOUR, values(said("l", agency=LABOUR)))]),
        (NOVEMBER, [read(HEALTH, values(*health(5, 7, 3), repeated, *health(7), first=3))]),
    ]
    known: Known = {}
    for recorded, readings in history:
        batch = Batch(journal.size, recorded)
        for _ in number(batch, readings, known, {}, NOW):
            pass
        for topic in batch.positions:
            await journal.start_topic(topic)
        await journal.commit(batch)


async def test_every_source_gives_the_same_document_and_a_table_that_differs_from_the_entries_is_found(
    settings: Settings, connection: Connection, tmp_path: Path
) -> None:
    journal = await open_journal(connection, settings)
    await register(journal)
    raw = await read_checked(connection, 0, journal.size)
    await sign(connection, raw, len(raw))
    settings.log_folder.mkdir(parents=True, exist_ok=True)
    log_key_files(settings).vkey.write_text(VKEY + "\n")
    mirror = str(await mirrored(tmp_path / "mirror", raw))

    async def run(*words: str) -> Result:
        return await yesser(settings, "audit", "completeness", *words)

    async def document_of(*words: str) -> dict[str, Any]:
        code, document = await yesser_json(settings, "audit", "completeness", *words)
        assert code == 0
        found: dict[str, Any] = document
        return found

    stored = await document_of()
    assert stored.pop("read_but_not_in_log") == {}
    assert await document_of(mirror, "--vkey", VKEY) == stored
    exported = await yesser(settings, "audit", "export", mirror, "--vkey", VKEY, "--into", str(tmp_path / "export"))
    assert exported.exit_code == 0, exported.output
    assert await document_of(str(tmp_path / "export"), "--vkey", VKEY) == stored

    rows = {(row["agency"], row["month"]): row for row in stored["rows"]}
    assert [rows["labour", month]["status"] for month in ("2026-10", "2026-11")] == ["no-numbers-sent", "nothing-sent"]
    assert rows["health", "2026-10"] == {
        "agency": "health", "month": "2026-10", "status": "complete", "entries": 2, "numbered": 2, "refused": 1,
        "first": 1, "last": 2, "missing_count": 0, "in_log": [[1, 2]], "missing": [], "repeated": [],
    }  # fmt: skip
    november = rows["health", "2026-11"]
    assert (november["missing"], november["repeated"]) == ([[4, 4], [6, 6]], [[5, 5]])
    gateway = await completeness(connection, "health")
    in_log = [part for month in ("2026-10", "2026-11") for part in rows["health", month]["in_log"]]
    missing = [part for month in ("2026-10", "2026-11") for part in rows["health", month]["missing"]]
    assert (in_log, missing) == ([[1, 2], [3, 3], [5, 5], [7, 7]], gateway.missing)
    assert gateway.seen == [[1, 3], [5, 5], [7, 7]]

    files = {name: tmp_path / f"completeness.{name}" for name in ("csv", "html")}
    options = [word for name, path in files.items() for word in (f"--{name}", str(path))]
    result = await run("--agency", "health", "--month", "2026-11", *options)
    assert result.exit_code == 0, (result.output, result.exception)
    with files["csv"].open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["agency"], row["missing"], row["status"]) == ("health", "4 6", "incomplete")
    assert "Agency: Agency (health)" in files["html"].read_text(encoding="utf-8")
    shown = await run("--agency", "labour")
    assert "No numbers were sent" in shown.output
    assert "لم تُرسل أرقام" in shown.output
    assert "Did you mean health?" in str((await run("--agency", "helth")).exception)
    assert (await run("--month", "2026-13")).exit_code == 2

    await connection.execute("UPDATE log.sequence_state SET seen = seen + '{[8,9)}' WHERE agency = 'health'")
    named = (await document_of())["read_but_not_in_log"]
    assert named == {"health": [[8, 8]]}, "what only a refused record had"
    await connection.execute("UPDATE log.sequence_state SET accepted = accepted + '{[4,5)}' WHERE agency = 'health'")
    assert "log.sequence_state, health" in str((await run()).exception)
