"""`yesser docs DIR`."""

from __future__ import annotations

import json
import re
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
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == document["files"] + 1
    assert (tmp_path / "own.txt").read_text() == "mine"
    written = [
        path for path in tmp_path.rglob("*") if path.suffix in (".html", ".md", ".txt") and path.name != "own.txt"
    ]
    assert [link for path in written for link in links_that_lead_outside(path, tmp_path)] == []


def links_that_lead_outside(page: Path, folder: Path) -> list[tuple[Path, str]]:
    """What a page names that is no file of the folder."""
    links = PageReader(page.read_bytes()).targets
    if page.suffix != ".html":
        links = re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8"))
    targets = [target.partition("#")[0] for target in links if target != "data:,"]
    away = [target for target in targets if target and not (page.parent / target).is_file()]
    away += [target for target in targets if not (page.parent / target).resolve().is_relative_to(folder.resolve())]
    return [(page, target) for target in away]
