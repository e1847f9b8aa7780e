"""The file of refused lines: private whatever was there before, and known to be writable before anything is sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from infra.event_files.opening import Opening
from infra.settings import Settings
from producers.publisher.commands import publish
from producers.publisher.job import Job, write_refused
from producers.publisher.report import Report
from producers.publisher.sources import EventFile


def test_the_file_of_refused_lines_is_private_also_in_place_of_another(tmp_path: Path) -> None:
    source, refused = tmp_path / "events.ndjson", tmp_path / "refused.ndjson"
    source.write_text("{1}\n{2}\n{3}\n")
    refused.write_text("something longer that was there before")
    refused.chmod(0o644)
    report = Report(lines=3, unsent=[2], is_final=True)
    with source.open("rb") as file:
        lines = EventFile(file, Opening())
        job = Job(Settings(), "health", file, lines, True, False, 1.0, None, refused=refused)
        written = write_refused(job, report)
    assert written == {"refused_file": str(refused), "refused_lines": [2]}
    assert refused.read_text() == "{2}\n"
    assert refused.stat().st_mode & 0o777 == 0o600
    assert {path.name for path in tmp_path.iterdir()} == {"events.ndjson", "refused.ndjson"}


@pytest.mark.parametrize("option", ["--refused", "--resume"])
def test_a_file_that_cannot_be_written_is_wrong_use_before_anything_is_sent(tmp_path: Path, option: str) -> None:
    source = tmp_path / "events.ndjson"
    source.write_text("{}\n")
    arguments = [str(source), "--agency", "health", option, str(tmp_path / "missing" / "file")]
    result = CliRunner().invoke(publish, arguments)
    assert result.exit_code == 2
    assert "does not exist: create it, or name another file" in result.stderr
