"""`yesser logs`: the last lines of one part or of all, as a person reads them, and what is added to them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from infra.embedded.logs_command import Tail, logs, parse_lines, readable

EVENT = {"event": "the relay goes on", "lasted_s": 2.5, "level": "warning", "process": "relay"}
RELAY = json.dumps(EVENT | {"timestamp": "2026-01-01T10:00:02.5Z"})
KAFKA = "2026-01-01T10:00:01.000Z INFO Log loading\njava.io.IOException: No space left\n\tat kafka.Log\n"
POSTGRES = "2026-01-01 10:00:03.000 UTC [7] LOG:  ready\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "relay.log").write_text(RELAY + "\n", "utf-8")
    (folder / "kafka.log").write_text(KAFKA, "utf-8")
    (folder / "postgres.log").write_text(POSTGRES, "utf-8")
    return tmp_path


def _logs(home: Path, *arguments: str) -> list[str]:
    result = CliRunner(env={"YESSER_HOME": str(home), "COLUMNS": "80"}).invoke(logs, arguments)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output.splitlines()


def test_all_logs_are_shown_in_order_of_time_each_line_with_its_part(home: Path) -> None:
    assert _logs(home) == [
        "10:00:01 kafka INFO Log loading",
        "10:00:01 kafka java.io.IOException: No space left",
        "10:00:01 kafka  at kafka.Log",
        "10:00:02 relay warning the relay goes on lasted_s=2.5",
        "10:00:03 postgres [7] LOG:  ready",
    ]


def test_one_part_is_shown_without_its_name_and_only_as_much_as_is_asked_for(home: Path) -> None:
    assert _logs(home, "relay") == ["10:00:02 warning the relay goes on lasted_s=2.5"]
    assert _logs(home, "kafka", "-n", "1") == ["at kafka.Log"]
    assert _logs(home, "kafka", "-n", "0") == []
    (line,) = _logs(home, "relay", "--json")
    assert json.loads(line) == {"part": "relay", "time": "2026-01-01T10:00:02.5Z", "text": RELAY}
    with pytest.raises(Exception, match=r"no log of zookeeper; logs exist of kafka, postgres, relay"):
        _logs(home, "zookeeper")


def test_a_long_line_is_folded_at_the_width_and_loses_nothing() -> None:
    (line,) = parse_lines("relay", [json.dumps({"event": "word " * 40 + "end", "id": "x" * 30})])
    shown = readable(line, 80, named=True)
    assert max(map(len, shown.splitlines())) <= 80
    assert shown.count("word") == 40
    assert "id=" + "x" * 30 in shown


def test_what_is_added_is_followed_line_by_line_also_in_the_file_that_comes_after_a_rotation(home: Path) -> None:
    path = home / "logs" / "relay.log"
    tail = Tail(path)
    assert [line.text for line in tail.last(5)] == [RELAY]
    with path.open("a", encoding="utf-8") as file:
        file.write("first\nsec")
    assert [line.text for line in tail.new()] == ["first"]
    with path.open("a", encoding="utf-8") as file:
        file.write("ond\n")
    assert [line.text for line in tail.new()] == ["second"]
    path.rename(path.with_name("relay.log.1"))
    assert tail.new() == []
    path.write_text("third\n", "utf-8")
    assert [line.text for line in tail.new()] == ["third"]
    assert tail.new() == []
