"""A catalogue's test names every case that fails, and only those."""

from __future__ import annotations

import inspect
from enum import Enum

import pytest

from tests.every import every


def test_every_case_that_fails_is_named_with_its_line_and_reason() -> None:
    @every(("number", "word"), lambda: iter([(1, "a"), (2, "b"), (3, "c")]))
    def check(number: int, word: str) -> None:
        assert number == 1, f"not {word}"

    for _ in range(2):  # cases that a function lists are listed by the test
        with pytest.raises(pytest.fail.Exception) as failure:
            check()
        first, *told = str(failure.value).splitlines()
        assert first == "2 of 3 cases fail"
        assert [line for line in told if line.startswith("number=")] == ["number=2, word='b'", "number=3, word='c'"]
        assert "AssertionError: not b" in str(failure.value)


async def test_a_missing_error_and_an_error_in_a_check_that_is_awaited_are_failures_too() -> None:
    class Side(Enum):
        ONE = 1
        ZERO = 0

    @every("side", Side)
    async def check(side: Side) -> None:
        with pytest.raises(ZeroDivisionError):
            assert 1 / side.value
        raise KeyError(side.name)

    with pytest.raises(pytest.fail.Exception, match=r"(?s)2 of 2.*DID NOT RAISE.*KeyError: 'ZERO'"):
        await check()


def test_fixtures_stay_and_the_names_of_the_case_go() -> None:
    @every("a", [1])
    @every("b", [2, 3])
    def check(a: int, tmp_path: int, b: int) -> None:
        assert (a, tmp_path) == (1, 5)

    assert list(inspect.signature(check).parameters) == ["tmp_path"]
    check(tmp_path=5)
    with pytest.raises(pytest.fail.Exception, match=r"(?s)1 of 1 .*2 of 2"):
        check(tmp_path=6)


def test_a_catalogue_that_is_empty_or_of_other_names_is_a_mistake() -> None:
    @every("number", list)
    def unasked(number: int) -> None:
        pass

    with pytest.raises(AssertionError, match="checks nothing"):
        unasked()
    with pytest.raises(AssertionError, match="takes no number"):

        @every("number", [1])
        def check(other: int) -> None:
            pass
