"""The verdict on a file, line by line, before anything is sent."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import orjson
from click.testing import CliRunner, Result

from events.faults.problems import PROBLEMS
from events.validation.verdicts import first_day_ahead
from infra.event_files.lint import MORE, SHOWN_MAX, Findings, ahead_sentences, lint
from infra.event_files.ndjson import LINE_BYTES_MAX, Line
from producers.publisher.commands import publish
from producers.publisher.lint_command import lint_command
from tests.every import every
from tests.world.events import FIRST_DAY_AHEAD, HEALTH, OFFICE, golden_event, initiative


def linted(*documents: object) -> Findings:
    lines = [Line(number, orjson.dumps(document)) for number, document in enumerate(documents, 1)]
    return lint(lines, HEALTH, FIRST_DAY_AHEAD)


def test_every_fault_of_a_line_is_told_in_both_languages_with_what_to_do() -> None:
    findings = linted(initiative(id="a", subject="initiative/I-2", mood="good"))
    assert {(row["line"], row["id"], row["code"], row["pointer"]) for row in findings.problems} == {
        (1, "a", "unknown-field", "/mood"),
        (1, "a", "subject-mismatch", "/subject"),
    }
    for row in findings.problems:
        assert row["detail"] != row["detail_ar"]
        assert row["remedy"]["ar"]
        assert row["remedy"]["en"]


def test_lines_of_the_same_id_are_duplicates_or_conflicts_by_what_they_say() -> None:
    again = dict(reversed(initiative(id="a", sequence="00000000000000000002").items()))
    findings = linted(initiative(id="a"), again, initiative(id="a", time="2006-01-02T00:00:00Z"))
    assert findings.duplicate_lines == [(2, 1)]
    assert [(row["line"], row["code"], row["of_line"]) for row in findings.problems] == [(3, "conflict", 1)]
    assert (findings.accepted, findings.conflicts, findings.refused, findings.has_faults) == (1, 1, 0, True)
    assert not linted(initiative(id="a"), initiative(id="a")).has_faults, "a duplicate alone is no fault"
    after = linted(initiative(id="a", mood="good"), initiative(id="a"))
    assert (after.accepted, after.refused, after.conflicts) == (1, 1, 0), "a refused line claims no id"


def test_faults_beyond_the_hundredth_of_a_line_are_counted_and_a_national_id_is_not_shown() -> None:
    findings = linted(initiative(id="a", x=["\0"] * 129), initiative(id="b"))
    assert (len(findings.problems), findings.unlisted, findings.document()["unlisted"]) == (100, 30, 30)
    assert "unlisted" not in linted(initiative(id="b", mood="good")).document()
    too_long = lint([Line(4, None)], HEALTH, FIRST_DAY_AHEAD)
    assert [(row["line"], row["id"], row["code"]) for row in too_long.problems] == [(4, None, "too-large")]
    (row,) = [row for row in linted(initiative(id="1000000008")).problems if row["code"] == "personal-data"]
    assert row["id"] is None


def test_a_time_that_is_days_ahead_is_accepted_and_named() -> None:
    ahead = linted(initiative(id="a", time="2029-12-31T23:59:59Z"), initiative(id="b", time="2030-01-01T00:00:00Z"))
    assert (ahead.accepted, ahead.document()["ahead"]) == (2, [{"line": 2, "time": "2030-01-01T00:00:00Z"}])
    assert "ahead" not in linted(initiative(id="a")).document()
    (sentence,) = ahead_sentences(ahead.ahead)
    assert sentence.en.startswith("  line 2: its time 2030-01-01T00:00:00Z is two days or more ahead")
    *_, more = ahead_sentences(ahead.ahead * (SHOWN_MAX + 1))
    assert more == MORE.format(1)
    assert first_day_ahead(datetime(2029, 12, 30, 23, 59, tzinfo=UTC)) == FIRST_DAY_AHEAD


def run(*arguments: str, text: bytes | None = None) -> Result:
    return CliRunner().invoke(lint_command, arguments, input=text)


def test_the_command_ends_with_1_on_faults_and_0_without(tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    short = orjson.dumps(initiative(id="a", specversion=..., source=...))
    path.write_bytes(b"\n".join([b"", short, b"not json", b"x" * (LINE_BYTES_MAX + 1)]))
    done = run(str(path), "--agency", "health", "--json")
    document = orjson.loads(done.stdout)
    assert done.exit_code == 1
    assert (document["lines"], document["accepted"], document["refused"]) == (3, 1, 2)
    assert [(row["line"], row["code"]) for row in document["problems"]] == [(3, "not-json"), (4, "too-large")]
    good = run("-", "--agency", "health", text=orjson.dumps(initiative(id="a")))
    assert good.exit_code == 0
    assert "1 would be accepted" in good.stdout


@every(("role", "code"), [("agency", 1), ("office", 0)])
def test_what_may_be_said_depends_on_the_role(role: str, code: int) -> None:
    quota = golden_event("training.quota-set") | {"source": OFFICE.source}
    done = run("-", "--agency", OFFICE.code, "--role", role, text=orjson.dumps(quota))
    assert done.exit_code == code
    assert ("not-authorised" in done.stdout) == (code == 1)


def test_a_table_is_linted_through_its_mapping(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("id,on\na,2006-01-01\nb,soon\nc,45992\n", encoding="utf-8")
    document = initiative(id="x")
    constants = {"/type": document["type"], "/subject": document["subject"], "/time": document["time"]}
    constants |= {f"/data/{name}": document["data"][name] for name in ("initiative_id", "name", "aim")}
    columns = {"id": {"pointer": "/id"}, "on": {"pointer": "/data/on"}}
    mapping = tmp_path / "m.json"
    mapping.write_bytes(orjson.dumps({"constants": constants, "columns": columns}))
    done = run(str(table), "--agency", "health", "--mapping", str(mapping), "--json")
    row, serial = orjson.loads(done.stdout)["problems"]
    assert "a spreadsheet's number of 2025-12-01" in serial["remedy"]["en"]
    assert (row["line"], row["id"], row["code"], row["pointer"]) == (3, "b", "invalid-value", "/data/on")
    assert row["column"] == "on"
    said = run(str(table), "--agency", "health", "--mapping", str(mapping)).stdout
    assert 'line 3: invalid-value at column "on" (/data/on): "soon" is not a date' in said
    assert PROBLEMS["invalid-value"].remedy.en in said
    assert serial["remedy"]["en"] in said


def test_a_wrong_amount_of_a_column_says_how_riyals_are_written(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("id;sum\na;1,250.50\n", encoding="utf-8")
    document = golden_event("revenue.collected")
    constants = {f"/{name}": document[name] for name in ("type", "subject", "time")}
    constants |= {f"/data/{name}": value for name, value in document["data"].items() if name != "amount_halalas"}
    columns = {"id": {"pointer": "/id"}, "sum": {"pointer": "/data/amount_halalas", "type": "riyals"}}
    mapping = tmp_path / "m.json"
    mapping.write_bytes(orjson.dumps({"constants": constants, "columns": columns}))
    done = run(str(table), "--agency", "health", "--mapping", str(mapping), "--json")
    (row,) = orjson.loads(done.stdout)["problems"]
    assert (row["column"], "like 1250.50" in row["remedy"]["en"]) == ("sum", True)
    said = run(str(table), "--agency", "health", "--mapping", str(mapping)).stdout
    assert row["remedy"]["ar"] in said


def test_a_table_without_its_mapping_is_refused_as_by_publish(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("id,on\na,2006-01-01\n")
    for command, options in ((lint_command, ()), (publish, ("--to", "http://127.0.0.1:1", "--token-file", str(table)))):
        done = CliRunner().invoke(command, [str(table), "--agency", "health", *options])
        assert done.exit_code == 2
        assert "A table (CSV, XLSX) needs --mapping: `yesser map` writes one to start from" in done.stderr
