"""A value of a wrong form is wrong use; it is named with the way to write it."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from infra.command_line.parameters import AgencyCode, OutputFile, PeriodLabel
from tests.every import every


@every("code", ["moh", "a1", "municipal-affairs", "a" + "b" * 30])
def test_a_code_is_taken_as_it_is(code: str) -> None:
    assert AgencyCode().convert(code, None, None) == code


@every("code", ["Health", "9a", "a", "a_b", "الصحة", "a" + "b" * 31, "a\n", ""])
def test_another_word_is_named_with_the_rule(code: str) -> None:
    with pytest.raises(click.BadParameter) as caught:
        AgencyCode().convert(code, None, None)
    assert caught.value.exit_code == 2
    assert f"{code!r} is not an agency code" in caught.value.message
    assert "a letter a-z, then 1 to 30" in caught.value.message


@pytest.mark.parametrize("label", ["1426-03", "2005-Q1"])
def test_a_period_is_taken_as_it_is(label: str) -> None:
    assert PeriodLabel().convert(label, None, None) == label


@every("label", ["1426-13", "2005-Q5", "2005", "March", ""])
def test_what_is_no_period_is_wrong_use(label: str) -> None:
    with pytest.raises(click.BadParameter, match="is not a period") as caught:
        PeriodLabel().convert(label, None, None)
    assert caught.value.exit_code == 2


def test_a_file_to_write_may_exist_or_not(tmp_path: Path) -> None:
    file = tmp_path / "refused.csv"
    assert OutputFile().convert(str(file), None, None) == file
    file.touch()
    assert OutputFile().convert(str(file), None, None) == file


def test_a_file_that_cannot_be_written_is_wrong_use_before_anything_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(path: Path) -> str:
        with pytest.raises(click.BadParameter) as caught:
            OutputFile().convert(str(path), None, None)
        assert caught.value.exit_code == 2
        return caught.value.message

    assert "does not exist: create it" in fault(tmp_path / "missing" / "refused.csv")
    assert "not a regular file" in fault(Path("/dev/null"))
    monkeypatch.setattr("os.access", lambda *_: False)
    assert "you may not write to the folder" in fault(tmp_path / "refused.csv")
