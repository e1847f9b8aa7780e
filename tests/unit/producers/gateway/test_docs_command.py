"""`yesser docs DIR`."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from producers.gateway.docs_command import docs


def test_every_page_is_a_file_and_other_files_stay(tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text("mine")
    result = CliRunner().invoke(docs, [str(tmp_path), "--json"])
    document = json.loads(result.stdout)
    assert (tmp_path / "index.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert (tmp_path / "docs" / "ar" / "events.html").is_file()
    assert (tmp_path / "docs" / "en" / "problems" / "conflict.html").is_file()
    assert document == {"folder": str(tmp_path), "start": str(tmp_path / "index.html"), "files": document["files"]}
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == document["files"] + 1
    assert (tmp_path / "own.txt").read_text() == "mine"
