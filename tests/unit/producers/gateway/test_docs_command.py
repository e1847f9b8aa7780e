"""`yesser docs DIR`."""

from __future__ import annotations

import json
import re
from os.path import normpath
from pathlib import Path

from click.testing import CliRunner

from producers.gateway.docs_command import docs
from tests.unit.producers.docs_pages.pages import PageReader


def test_every_page_is_a_file_and_other_files_stay(tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text("mine")
    result = CliRunner().invoke(docs, [str(tmp_path), "--json"])
    document = json.loads(result.stdout)
    assert (tmp_path / "index.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert (tmp_path / "docs" / "ar" / "events.html").is_file()
    assert (tmp_path / "docs" / "en" / "problems" / "conflict.html").is_file()
    assert document == {"folder": str(tmp_path), "start": str(tmp_path / "index.html"), "files": document["files"]}
    files = {str(path) for path in tmp_path.rglob("*") if path.is_file()}
    assert len(files) == document["files"] + 1
    assert (tmp_path / "own.txt").read_text() == "mine"
    written = [Path(file) for file in files if file.endswith((".html", ".md", ".txt"))]
    assert [link for page in written for link in links_that_lead_outside(page, files)] == []


def links_that_lead_outside(page: Path, files: set[str]) -> list[tuple[Path, str]]:
    """What a page names that is no file of the folder."""
    is_html = page.suffix == ".html"
    links = PageReader(page.read_bytes()).targets if is_html else re.findall(r"\]\(([^)]+)\)", page.read_text())
    targets = {target.partition("#")[0] for target in links} - {"data:,", ""}
    return [(page, target) for target in targets if normpath(page.parent / target) not in files]
