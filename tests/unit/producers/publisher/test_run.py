"""Ids that are shown for refused lines, and exit codes."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner

from infra.command_line.exit_codes import ExitCode
from infra.event_files.lint import LINE_TOO_LARGE
from infra.event_files.ndjson import LINE_BYTES_MAX, Defaults, read_ids, read_lines, read_opening
from infra.verdicts import Refused, Verdicts
from producers.publisher.commands import exit_code, publish, sentences
from producers.publisher.job import Sending, send_lines
from producers.publisher.lint_command import lint_command
from producers.publisher.report import Progress, Report
from tests.every import every
from tests.world.events import FIRST_DAY_AHEAD
from tests.world.processes import exit_of
from tests.world.senders import initiative


@every(
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
    assert exit_code(Report()) == ExitCode.OK
    assert exit_code(Report(lines=1, unsent={1: [LINE_TOO_LARGE]})) == ExitCode.ANSWER_IS_NO
    report = Report(lines=1, verdicts=Verdicts(accepted=1))
    report.sent.add([1, 2], 0)
    assert exit_code(report) == ExitCode.OK
    report.verdicts = Verdicts(refusals=[Refused(0, 0, None, [{"code": "conflict", "pointer": "", "detail": ""}])])
    assert exit_code(report) == ExitCode.ANSWER_IS_NO


@every(
    ("arguments", "message"),
    [
        (["-", "--refused", "again"], "give a file"),
        (["-", "--mapping", "events"], "give a file"),
        (["events", "--refused", "events"], "this would overwrite the published file"),
        (["events", "--resume", "events"], "this would overwrite the published file"),
        (["events", "--refused", "missing/file"], "does not exist: create it, or name another file"),
        (["events", "--resume", "missing/file"], "does not exist: create it, or name another file"),
    ],
)
def test_what_is_published_is_never_overwritten_and_a_pipe_is_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("events").write_text("{}")
    done = CliRunner().invoke(publish, [*arguments, "--agency", "moh"])
    assert (done.exit_code, message in done.stderr) == (2, True)
    assert Path("events").read_text() == "{}"


EVENT = b'{"id":"a"}\n'


@every(
    ("content", "holds_events"),
    [
        (b"", True),
        (b"\n \t\r\n", True),
        (b"id,on\n1000000008,2006-01-01\n", False),
        (b"[\n" + EVENT + b"]\n", True),
        (b'[{"id":"a"},{"id":"b"}]', False),
        (b"\xef\xbb\xbf" + EVENT, False),
        (b"x\n" * 19 + EVENT, True),
        (b"x\n" * 20 + EVENT, False),
        (b"\n" * 300_000 + b"x\n" * 19 + EVENT, True),
        (b" \t" + EVENT, True),
        (b"x" * 3 * LINE_BYTES_MAX + b"\n" + EVENT, True),
        (b"x" * 3 * LINE_BYTES_MAX, False),
        (b'{"id":"' + b"x" * 3 * LINE_BYTES_MAX, True),
        (b" " * 3 * LINE_BYTES_MAX + b'{"id":"' + b"x" * LINE_BYTES_MAX, True),
    ],
)
def test_a_file_holds_events_if_one_of_its_first_lines_begins_with_a_brace(content: bytes, holds_events: bool) -> None:
    stream = BytesIO(content)
    opening = read_opening(stream)
    assert opening.holds_events == holds_events
    rest = opening.splitter.feed(stream.read()) + opening.splitter.end()
    assert [(line.number, line.text) for line in opening.lines + rest] == [
        (line.number, line.text) for line in read_lines(BytesIO(content))
    ]


def test_a_slow_pipe_is_read_no_further_than_to_its_first_event() -> None:
    class Pipe(BytesIO):
        def read1(self, size: int | None = -1, /) -> bytes:
            line = self.readline()
            assert line, "it would wait for more"
            return line

    opening = read_opening(Pipe(b"x\n" + EVENT))
    assert (opening.holds_events, len(opening.lines)) == (True, 2)


TABLE = "الرمز,date\n1000000008,2006-01-01\n" * 30


def test_a_table_without_its_mapping_is_not_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing runs here: it is refused before any service is looked for."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("YESSER_HOME", str(tmp_path / "home"))
    Path("table.csv").write_text(TABLE, encoding="utf-8")
    Path("map.json").write_text("{}")
    for name in ("table.csv", "-"):
        done = CliRunner().invoke(publish, [name, "--agency", "moh", "--wait", "--json"], input=TABLE)
        assert (done.exit_code, done.stdout) == (2, "")
        for words in ("none of the first 20 lines begins with {", "--mapping", "--raw"):
            assert words in done.stderr
        assert "1000000008" not in done.stderr
    for on_several_lines in ('{\n "id": "1"\n}\n', '[\n {"id": "1"}\n]\n'):
        done = CliRunner().invoke(publish, ["-", "--agency", "moh"], input=on_several_lines)
        assert (done.exit_code, "Write each event on one line" in done.stderr) == (2, True)
    done = CliRunner().invoke(publish, ["table.csv", "--agency", "moh", "--raw"])
    assert type(done.exception).__name__ == "NoKafka", "its lines are sent all the same: only the service is missing"
    done = CliRunner().invoke(publish, ["table.csv", "--agency", "moh", "--raw", "--mapping", "map.json"])
    assert (done.exit_code, "--raw" in done.stderr) == (2, True)


@every(
    ("table", "mapping", "message"),
    [
        ("a,b\n1\n", {"columns": {"a": {}, "b": {}}}, "Line 2 and the header have different numbers of cells, 1 and 2"),
        ("a\n1\n", {"columns": {"b": {}}}, "columns that the table lacks"),
        ("a\n1\n", {"columns": {"a": "/id"}}, "write "),
    ],
)
def test_a_table_that_does_not_fit_is_a_wrong_use(tmp_path: Path, table: str, mapping: object, message: str) -> None:
    (tmp_path / "t.csv").write_text(table)
    (tmp_path / "m.json").write_bytes(orjson.dumps(mapping))
    options = ["--agency", "moh", "--mapping", str(tmp_path / "m.json")]
    done = CliRunner().invoke(lint_command, [str(tmp_path / "t.csv"), *options])
    assert (done.exit_code, message in done.stderr) == (2, True)


def test_verdicts_that_are_missing_are_not_said_to_be_anything() -> None:
    report = Report(lines=3, unsent={3: [LINE_TOO_LARGE]})
    report.sent.add([1, 2], 0)
    output = "\n".join(one.en for one in sentences(report, report.document()))
    assert "refused" not in output
    for words in (
        "2 lines stored; verdicts are not known yet (use --wait to wait for them).",
        "1 line not sent: correct the faults.",
        "line 3: too-large",
    ):
        assert words in output
    report = Report(lines=5, verdicts=Verdicts(accepted=2, first_index=7, last_index=8))
    report.sent.add([1, 2, 3, 4, 5], 0)
    assert [one.en for one in sentences(report, report.document())] == [
        "2 lines: 2 accepted, 0 duplicates, 0 conflicts, 0 refused.",
        "3 lines stored; verdicts are not known yet (publish the file again).",
        "In the log at entries 7 … 8.",
    ]
    report.has_lost = True
    assert [*sentences(report, report.document())][1].en == "3 lines without a verdict (publish the file again)."


@every("options", [("--timeout", "0.5"), ("--timeout", "0.5", "--sequence")])
def test_the_time_limit_holds_while_kafka_is_away_too(
    options: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "events.ndjson"
    file.write_text('{"id":"1"}\n')
    monkeypatch.setenv("YESSER_HOME", str(tmp_path))
    monkeypatch.setenv("YESSER_KAFKA", "127.0.0.1:1")
    monkeypatch.setenv("YESSER_KAFKA_SECURITY", "PLAINTEXT")
    monkeypatch.setenv("YESSER_POSTGRES", "postgresql://127.0.0.1:1/none")
    assert exit_of(str(file), "--agency", "health", *options, command=publish) == ExitCode.TRY_AGAIN
    written = capsys.readouterr().err
    assert "unknown" not in written
    if "--sequence" not in options:
        assert "Nothing was sent" in written
    assert "Traceback" not in written


class Kept:
    """Keeps what is to be sent."""

    def __init__(self) -> None:
        self.lines: dict[int, bytes] = {}

    async def add(self, value: bytes, tag: int = 0) -> None:
        self.lines[tag] = value

    async def push(self) -> None: ...

    async def flush(self) -> None: ...


async def test_a_faulty_line_is_not_sent_but_what_only_the_log_can_judge_is() -> None:
    good, broken, personal, of_office = (dict(initiative(key)) for key in ("a", "b", "c", "d"))
    broken["subject"] = "initiative/other"
    personal["data"] = {**personal["data"], "name": {"ar": "الاسم", "en": "National id 1000000008"}}
    of_office |= {
        "type": "sa.gov.yesser.training.quota-set.v1",
        "subject": "quota/gregorian/2006/usage",
        "data": {"calendar": "gregorian", "year": 2006, "track": "usage", "seats": 10},
    }
    lines = [*map(orjson.dumps, (good, broken, personal, of_office)), b"{", b"x" * (LINE_BYTES_MAX + 1)]
    text = b"\n".join(lines)
    for agency, sent in ((None, {1, 2, 3, 4, 5}), ("health", {1, 4})):
        report, kept = Report(), Kept()
        await send_lines(
            [*read_lines(BytesIO(text))],
            Sending(kept, Defaults("health"), report, Progress(), FIRST_DAY_AHEAD, None, agency),
        )
        assert kept.lines.keys() == sent
        assert report.unsent.keys() == {1, 2, 3, 4, 5, 6} - sent
    codes = {number: {fault.code for fault in faults} for number, faults in report.unsent.items()}
    assert codes == {2: {"subject-mismatch"}, 3: {"personal-data"}, 5: {"not-json"}, 6: {"too-large"}}
    # A later run with the state file of this one finds their faults again.
    later = Report(unsent=dict.fromkeys(report.unsent, ()))
    await send_lines(
        [*read_lines(BytesIO(text))],
        Sending(Kept(), Defaults("health"), later, Progress(), FIRST_DAY_AHEAD, None, "health"),
    )
    assert later.unsent == report.unsent


async def test_a_line_whose_time_is_days_ahead_is_sent_and_named() -> None:
    text, report, kept = orjson.dumps(initiative("a") | {"time": "2066-01-02T09:00:00+03:00"}), Report(), Kept()
    sending = Sending(kept, Defaults("health"), report, Progress(), FIRST_DAY_AHEAD, None, "health")
    await send_lines([*read_lines(BytesIO(text))], sending)
    assert kept.lines.keys() == {1}
    document = report.document()
    assert document.ahead == [{"line": 1, "time": "2066-01-02T09:00:00+03:00"}]
    assert any("look for a wrong year" in sentence.en for sentence in sentences(report, document))


def test_plain_http_to_another_machine_is_refused_by_the_name_of_its_setting(tmp_path: Path) -> None:
    (file := tmp_path / "events.ndjson").write_text("{}\n")
    environment = {"YESSER_TOKEN": "yat_x", "YESSER_HOME": str(tmp_path)}
    found = CliRunner().invoke(publish, [str(file), "--to", "http://gateway.example"], env=environment)
    assert "name gateway in YESSER_DANGEROUSLY_ALLOW_PLAINTEXT" in str(found.exception)
