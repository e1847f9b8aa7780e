"""An export has the texts of its entries, beside them and in their data, and its verifier compares each."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from msgspec.structs import replace

from consumers.proof.audit import verify
from consumers.proof.audit.export import Format
from events.wire.texts import withheld_text
from infra.log.ports.bundle_texts import WrongText
from tests.every import every
from tests.unit.consumers.proof.audit.exports import export_of
from tests.world.logs_with_texts import LogWithTexts, service_suspended, workshop_held
from tests.world.memory_log import KEY

NAME = "Sara Alqahtani"
FORMS: tuple[Format, ...] = ("ndjson", "parquet")


def log_with_texts() -> LogWithTexts:
    built = LogWithTexts().fill(3).add(service_suspended("s1", NAME), workshop_held("w1", NAME)).fill(300)
    return built.add(service_suspended("s2", "Nora"))


def said(folder: Path) -> tuple[int, str]:
    """How its own verifier ends, and what it says in English of the texts."""
    command = [sys.executable, "-I", str(folder / "verify.py"), str(folder), KEY.verifier.vkey]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode, done.stdout.partition("Texts: ")[2] if done.returncode == 0 else done.stderr


def rows_of(folder: Path, form: Format) -> dict[int, tuple[Any, str]]:
    """Index → data and entry."""
    if form == "ndjson":
        rows = [json.loads(line) for line in (folder / "entries.ndjson").read_text(encoding="utf-8").splitlines()]
        return {row["index"]: (row["data"], row["entry"]) for row in rows}
    with duckdb.connect() as database:
        found = database.execute(f"SELECT index, data, entry FROM '{folder}/entries.parquet'").fetchall()
    return {index: (json.loads(data), entry) for index, data, entry in found}


def data_of(folder: Path, form: Format) -> dict[int, Any]:
    return {index: data for index, (data, _) in rows_of(folder, form).items()}


@every("entry", [0, 7, 1_000, 9_999_999])
def test_the_verifier_has_the_sentence_of_the_log(entry: int) -> None:
    sentence = withheld_text("2026-11-25T22:00:00.000000Z", entry)
    assert verify.SENTENCE % {"day": "2026-11-26", "entry": entry} == sentence


async def test_the_data_has_the_texts_and_the_entry_its_exact_bytes(tmp_path: Path) -> None:
    built = log_with_texts()
    for form in FORMS:
        folder = await export_of(built.log, tmp_path / form, 0, 301, form)
        data = data_of(folder, form)
        assert data[3]["reason"] == {"ar": f"إجازة {NAME}", "en": f"{NAME} is on leave"}
        assert data[4]["partners"][1] == data[4]["place"] == {"ar": "قاعة", "en": f"The hall of {NAME}"}
        assert data[300]["reason"]["en"] == "Nora is on leave"
        assert [entry.encode() for _, entry in rows_of(folder, form).values()] == built.entries
        assert said(folder) == (0, "4 give their hashes, 0 are withheld, 0 are not here.\n")
        plain = await export_of(built.log, tmp_path / f"plain-{form}", 10, 20, form)
        assert not (plain / "texts.ndjson").exists()
        assert said(plain) == (0, "")


async def test_what_is_withheld_is_read_as_such_and_named(tmp_path: Path) -> None:
    built = log_with_texts().withhold(3, "reason").withhold(4, "partners")
    for form in FORMS:
        folder = await export_of(built.log, tmp_path / form, 0, 301, form)
        data = data_of(folder, form)
        assert data[3]["reason"]["en"] == "This text was withheld on 2026-11-25 by entry 301."
        assert [text["en"] for text in data[4]["partners"]] == ["This text was withheld on 2026-11-25 by entry 302."]
        assert "حُجب هذا النص" in data[3]["reason"]["ar"]
        code, sentence = said(folder)
        assert (code, sentence.splitlines()) == (
            0,
            [
                "2 give their hashes, 2 are withheld, 0 are not here.",
                "  entry 3 /data/reason (by entry 301)",
                "  entry 4 /data/partners (by entry 302)",
            ],
        )


async def test_an_export_of_a_source_without_texts_verifies_and_names_them(tmp_path: Path) -> None:
    log = log_with_texts().log
    log.stored_texts = log.stored_texts[1:]
    for form in FORMS:
        folder = await export_of(log, tmp_path / form, 0, 301, form)
        assert data_of(folder, form)[3]["reason"].keys() == {"sha256"}
        lines = said(folder)[1].splitlines()
        assert lines == ["3 give their hashes, 0 are withheld, 1 are not here.", "  entry 3 /data/reason (not here)"]
    (folder / "texts.ndjson").unlink()
    assert said(folder)[0] == verify.CHANGED, "the data have texts that nothing proves"


async def test_a_wrong_text_is_not_exported(tmp_path: Path) -> None:
    log = log_with_texts().log
    log.stored_texts[0], log.stored_texts[-1] = log.stored_texts[-1], log.stored_texts[0]
    await export_of(log, tmp_path / "sound", 0, 301)
    log.stored_texts[-1] = replace(log.stored_texts[-1], text='{"ar":"آخر","en":"other"}')
    with pytest.raises(WrongText, match="entry 3"):
        await export_of(log, tmp_path / "wrong", 0, 301)


CHANGES: dict[str, Callable[[list[Any]], object]] = {
    "another text": lambda rows: rows[0].update(text='{"ar":"آخر","en":"other"}'),
    "a text that is read in two ways": lambda rows: rows[0].update(text='{"ar":"x",' + rows[0]["text"][1:]),
    "another salt": lambda rows: rows[0].update(salt="00" * 16),
    "no salt": lambda rows: rows[0].pop("salt"),
    "another member": lambda rows: rows[0].update(member="on"),
    "another index": lambda rows: rows[0].update(index=2),
    "a text of no entry": lambda rows: rows.append({**rows[0], "index": 299}),
    "another order": lambda rows: rows.reverse(),
    "twice": lambda rows: rows.insert(0, rows[0]),
    "one less": lambda rows: rows.pop(0),
    "a number": lambda rows: rows[0].update(text=7),
    "said to be withheld": lambda rows: rows.__setitem__(
        0, {**{name: rows[0][name] for name in ("index", "member", "sha256")}, "withheld_by": 9, "text": "{}"}
    ),
    "more members": lambda rows: rows[0].update(more=1),
}


@every("form", FORMS)
async def test_a_changed_row_of_texts_is_refused(tmp_path: Path, form: Format) -> None:
    folder = await export_of(log_with_texts().log, tmp_path / form, 0, 301, form)
    file = folder / "texts.ndjson"
    sound = file.read_text(encoding="utf-8").splitlines()
    for name, change in CHANGES.items():
        rows = [json.loads(line) for line in sound]
        change(rows)
        file.write_text("".join(verify.as_json(row) + "\n" for row in rows), encoding="utf-8")
        assert verify.main([str(folder), KEY.verifier.vkey]) == verify.CHANGED, name


async def test_each_changed_byte_of_the_texts_is_refused(tmp_path: Path) -> None:
    folder = await export_of(log_with_texts().log, tmp_path / "export", 0, 6)
    file = folder / "texts.ndjson"
    sound = file.read_bytes()
    for at in range(0, len(sound), 7):
        for changed in (sound[:at] + bytes([sound[at] ^ 1]) + sound[at + 1 :], sound[:at]):
            file.write_bytes(changed)
            assert verify.main([str(folder), KEY.verifier.vkey]) == verify.CHANGED, at
    file.write_bytes(sound)
    assert verify.main([str(folder), KEY.verifier.vkey]) == verify.OK
