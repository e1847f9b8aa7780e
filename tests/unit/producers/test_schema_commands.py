"""`yesser schema diff` explains whether a change is compatible, and exits with 1 if not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
from click.testing import CliRunner, Result

from events.schema_tools.schema_documents import schema_of
from producers.schema_commands import NotASchema, schema
from tests.every import every


def diff(old: Path, new: Path, *more: str) -> Result:
    return CliRunner().invoke(schema, ["diff", str(old), str(new), *more])


def write(path: Path, document: Any) -> Path:
    path.write_bytes(orjson.dumps(document))
    return path


def test_two_files_are_compared_whatever_they_are_called(tmp_path: Path) -> None:
    document = schema_of("service.launched")
    old = write(tmp_path / "old.json", document)
    document["$defs"]["ServiceLaunched"]["required"].append("url")
    new = write(tmp_path / "new.json", document)
    done = diff(old, new, "--json")
    answer = orjson.loads(done.stdout)
    assert (done.exit_code, answer["compatible"]) == (1, False)
    assert answer["reasons"] == [
        "old.json /data: the field url is newly required, and old events lack it: make it optional"
    ]
    assert answer["changes"] == ["old.json /data/url: required now"]
    back = diff(new, old)
    assert back.exit_code == 0
    assert "متوافق" in back.stdout
    assert "optional now" in back.stdout


def test_two_folders_are_compared_by_file_name(tmp_path: Path) -> None:
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
    write(tmp_path / "old" / "a.json", {"type": "object"})
    write(tmp_path / "new" / "b.json", {"type": "object"})
    done = diff(tmp_path / "old", tmp_path / "new")
    assert done.exit_code == 1
    assert "a.json: the type was removed" in done.stdout
    assert "b.json: a new type" in done.stdout


@every("text", ["", "[]", "{}"])
def test_what_is_no_schema_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text)
    assert isinstance(diff(tmp_path / "x.json", tmp_path / "x.json").exception, NotASchema)
    assert diff(tmp_path, tmp_path / "x.json").exit_code == 2
