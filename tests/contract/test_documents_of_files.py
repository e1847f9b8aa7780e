"""The table in the documents is accepted as it is published, and says what the page says."""

from __future__ import annotations

from pathlib import Path

import orjson

from events.validation.verdicts import Agency
from infra.event_files.lint import lint
from infra.event_files.table_lines import mapped_lines
from infra.tables.mapping import read_mapping
from tests.paths import ROOT

TABLES = ROOT / "docs" / "tables"


def test_the_table_in_the_documents_is_accepted_as_it_is_published() -> None:
    mapping = read_mapping(TABLES / "receipts.toml")
    with (TABLES / "receipts.csv").open("rb") as table:
        lines = list(mapped_lines(table, mapping))
    assert lint(lines, Agency("moh", "agency")).document()["accepted"] == 2
    first, second = (orjson.loads(line.text or b"") for line in lines)
    assert (first["id"], first["data"]["amount_halalas"]) == ("receipt-R-1", 125_000)
    assert second["data"]["amount_halalas"] == 9_950


def test_a_mapping_in_json_says_the_same_as_in_toml(tmp_path: Path) -> None:
    mapping = read_mapping(TABLES / "receipts.toml")
    path = tmp_path / "receipts.json"
    path.write_bytes(mapping.model_dump_json().encode())
    assert read_mapping(path) == mapping
