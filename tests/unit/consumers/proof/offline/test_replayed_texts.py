"""The texts of a copy stand beside its read models, whose rows and hashes are the same with and without them."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

from consumers.proof.audit.mirror import write_mirror
from consumers.proof.offline.replay import ModelFormat
from consumers.proof.offline.texts import write_texts
from tests.every import every
from tests.unit.consumers.proof.commands.auditor import Auditor
from tests.world.logs_with_texts import LogWithTexts, service_suspended, workshop_held
from tests.world.memory_log import KEY

NAME = "Sara Alqahtani"
QUERY = 'SELECT "index", member, salt IS NULL, withheld_by, text FROM {} ORDER BY "index", member'


class Copy:
    """A mirror with three texts, one of which is withheld, and an export of all of it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.mirror, self.export = folder, folder / "mirror", folder / "export"
        self.built = LogWithTexts().fill(3).add(service_suspended("s1", "Nora"), workshop_held("w1", NAME)).fill(20)
        self.auditor = Auditor(folder)
        self.built.withhold(4, "place")
        asyncio.run(write_mirror(self.built.log, self.mirror, KEY.verifier))
        self.auditor.ok("export", self.mirror, "--into", self.export)

    def replay(self, source: Path, into: str, *options: str) -> dict[str, Any]:
        return self.auditor.ok("replay", source, "--into", self.folder / into, *options)

    def expected(self) -> list[tuple[Any, ...]]:
        return [
            (text.index, text.member, text.key == (4, "place"), 20 if text.key == (4, "place") else None, text.text)
            for text in self.built.log.stored_texts
        ]

    def texts(self, into: str, form: str = "sqlite") -> Sequence[tuple[Any, ...]]:
        file = self.folder / into / f"text.{form}"
        if form == "parquet":
            with duckdb.connect() as database:
                return database.execute(QUERY.format(f"'{file}'")).fetchall()
        return sqlite3.connect(file).execute(QUERY.format("text")).fetchall()


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    return Copy(tmp_path_factory.mktemp("copy"))


@every("form", ["sqlite", "parquet"])
def test_a_table_has_the_texts_of_a_mirror_and_of_an_export(copied: Copy, form: ModelFormat) -> None:
    expected = copied.expected()
    assert "was withheld" in expected[2][4]
    checkpoint = asyncio.run(copied.built.log.checkpoint())
    (copied.folder / form).mkdir()
    for source in (copied.mirror, copied.export):
        for end, texts in ((checkpoint.size, expected), (4, expected[:1])):
            write_texts(source, checkpoint, copied.folder / form, end, form)
            assert copied.texts(form, form) == texts
        write_texts(source, checkpoint, copied.folder / form, 3, form)
        assert not (copied.folder / f"{form}/text.{form}").exists(), "those of an earlier run are gone"


def test_read_models_hold_hashes_so_that_a_copy_without_texts_has_the_same(copied: Copy) -> None:
    log, bare, expected = copied.built.log, copied.folder / "bare", copied.expected()[:1]
    log.stored_texts = []
    asyncio.run(write_mirror(log, bare, KEY.verifier))
    with_texts = copied.replay(copied.export, "texts", "--to", "4", "--format", "parquet")
    assert copied.texts("texts", "parquet") == expected
    assert copied.replay(bare, "none", "--to", "4")["read_models"] == with_texts["read_models"]
    assert not (copied.folder / "none/text.sqlite").exists()


def test_printed_entries_have_their_texts_beside_them(copied: Copy) -> None:
    for source in (copied.mirror, copied.export):
        lines = copied.auditor.run("replay", source, "--stdout").stdout.splitlines()
        rows = {row["index"]: row for row in map(json.loads, lines)}
        assert [json.loads(text["text"])["en"] for text in rows[3]["texts"]] == ["Nora is on leave"]
        assert rows[4]["texts"][1]["withheld_by"] == 20
        assert "salt" not in rows[4]["texts"][1]
        assert "texts" not in rows[5]
        assert rows[3]["entry"]["event"]["data"]["reason"] == {"sha256": rows[3]["texts"][0]["sha256"]}
