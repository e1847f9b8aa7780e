"""Ids that are shown for refused lines, and exit codes."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from click.testing import CliRunner

from infra.verdicts import Refused, Verdicts
from producers.lines import LINE_BYTES_MAX, read_ids
from producers.publish_cli import ALL_WELL, SOME_REFUSED, exit_code, publish
from producers.report import Report


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (b'{"id":"revenue:1"}', "revenue:1"),
        (b'{"id":"broken","x":"\xff"}', "broken"),
        (b'{"id":5}', None),
        (b'{"id":"not an id"}', None),
        (b'{"id":"1000000008"}', None),
        (b'{"id":"event.1000000008"}', None),
        (b"[]", None),
        (b"\xff", None),
        (b"x" * (LINE_BYTES_MAX + 1), None),
    ],
)
def test_a_refused_line_is_told_by_its_id_unless_that_may_be_personal(line: bytes, shown: str | None) -> None:
    assert read_ids(BytesIO(b"\n" + line + b"\n{}"), {2}) == {2: shown}


def test_the_exit_code_says_whether_anything_was_refused() -> None:
    assert exit_code(Report()) == ALL_WELL
    assert exit_code(Report(lines=1, unsent=[1])) == SOME_REFUSED
    report = Report(lines=1, verdicts=Verdicts(accepted=1))
    report.sent.add([1, 2], 0)
    assert exit_code(report) == ALL_WELL
    report.verdicts = Verdicts(refusals=[Refused(0, 0, None, [{"code": "conflict", "pointer": "", "detail": ""}])])
    assert exit_code(report) == SOME_REFUSED


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["-", "--refused", "again"], "give a file"),
        (["-", "--mapping", "events"], "give a file"),
        (["events", "--refused", "events"], "it would overwrite what is published"),
        (["events", "--resume", "events"], "it would overwrite what is published"),
    ],
)
def test_what_is_published_is_never_overwritten_and_a_pipe_is_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("events").write_text("{}")
    done = CliRunner().invoke(publish, [*arguments, "--agency", "moh"])
    assert (done.exit_code, says in done.output) == (2, True)
    assert Path("events").read_text() == "{}"
