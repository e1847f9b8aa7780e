"""A value of a wrong form is wrong use; it is named with the way to write it."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from infra.command_line.parameters import AgencyCode, OutputFile, PeriodLabel
from tests.every import every


@every(
    ("kind", "value"),
    [
        *[(AgencyCode(), code) for code in ("moh", "a1", "municipal-affairs", "a" + "b" * 30)],
        *[(PeriodLabel(), label) for label in ("1426-03", "2005-Q1")],
    ],
)
def test_a_value_is_taken_as_it_is(kind: click.ParamType[str], value: str) -> None:
    assert kind.convert(value, None, None) == value


@every(
    ("kind", "value", "rule"),
    [
        *[
            (AgencyCode(), code, f"{code!r} is not an agency code.*a letter a-z, then 1 to 30")
            for code in ("Health", "9a", "a", "a_b", "الصحة", "a" + "b" * 31, "a\n", "")
        ],
        *[(PeriodLabel(), label, "is not a period") for label in ("1426-13", "2005-Q5", "2005", "March", "")],
    ],
)
def test_another_word_is_wrong_use_and_named_with_the_rule(kind: click.ParamType[str], value: str, rule: str) -> None:
    with pytest.raises(click.BadParameter) as caught:
        kind.convert(value, None, None)
    assert caught.value.exit_code == 2
    assert all(words in caught.value.message for words in rule.split(".*"))


def test_a_file_to_write_may_exist_or_not_and_one_that_cannot_be_written_is_wrong_use_before_anything_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(path: Path) -> str:
        with pytest.raises(click.BadParameter) as caught:
            OutputFile().convert(str(path), None, None)
        assert caught.value.exit_code == 2
        return caught.value.message

    file = tmp_path / "refused.csv"
    assert OutputFile().convert(str(file), None, None) == file
    file.touch()
    assert OutputFile().convert(str(file), None, None) == file
    assert "does not exist: create it" in fault(tmp_path / "missing" / "refused.csv")
    assert "not a regular file" in fault(Path("/dev/null"))
    monkeypatch.setattr("os.access", lambda *_: False)
    assert "you may not write to the folder" in fault(tmp_path / "other.csv")
