"""A value of a wrong form is wrong use; it is named with the way to write it."""

from __future__ import annotations

import click
import pytest

from infra.command_line.parameters import AgencyCode, PeriodLabel


@pytest.mark.parametrize("code", ["moh", "a1", "municipal-affairs", "a" + "b" * 30])
def test_a_code_is_taken_as_it_is(code: str) -> None:
    assert AgencyCode().convert(code, None, None) == code


@pytest.mark.parametrize("code", ["Health", "9a", "a", "a_b", "الصحة", "a" + "b" * 31, "a\n", ""])
def test_another_word_is_named_with_the_rule(code: str) -> None:
    with pytest.raises(click.BadParameter) as caught:
        AgencyCode().convert(code, None, None)
    assert caught.value.exit_code == 2
    assert f"{code!r} is not an agency code" in caught.value.message
    assert "a letter a-z, then 1 to 30" in caught.value.message


@pytest.mark.parametrize("label", ["1426-03", "2005-Q1"])
def test_a_period_is_taken_as_it_is(label: str) -> None:
    assert PeriodLabel().convert(label, None, None) == label


@pytest.mark.parametrize("label", ["1426-13", "2005-Q5", "2005", "March", ""])
def test_what_is_no_period_is_wrong_use(label: str) -> None:
    with pytest.raises(click.BadParameter, match="is not a period") as caught:
        PeriodLabel().convert(label, None, None)
    assert caught.value.exit_code == 2
