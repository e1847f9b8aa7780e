"""A catalogue's test names every case that fails, and only those."""

from __future__ import annotations

import inspect
from enum import Enum

import pytest

from tests.every import every


def test_every_case_that_fails_is_named_with_its_line_and_reason() -> None:
    @every(("number", "word"), [(1, "a"), (2, "b"), (3, "c")])
    def check(number: int, word: str) -> None:
        assert number == 1, f"not {word}"

    with pytest.raises(pytest.fail.Exception) as failure:
        check()
    first, *told = str(failure.value).splitlines()
    assert first == "2 of 3 cases fail"
    assert [line for line in told if line.startswith("number=")] == ["number=2, word='b'", "number=3, word='c'"]
    assert "AssertionError: not b" in str(failure.value)


def test_a_missing_error_and_an_error_in_the_check_are_failures_too() -> None:
    @every("number", [0, 1])
    def check(number: int) -> None:
        with pytest.raises(ZeroDivisionError):
            assert 1 / number
        raise KeyError(number)

    with pytest.raises(pytest.fail.Exception, match=r"(?s)2 of 2.*KeyError: 0.*DID NOT RAISE"):
        check()


async def test_what_waits_is_awaited() -> None:
    @every("number", [0, 1])
    async def check(number: int) -> None:
        assert number

    with pytest.raises(pytest.fail.Exception, match="1 of 2 cases fail"):
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


def test_cases_that_a_function_lists_are_listed_by_the_test() -> None:
    @every("number", lambda: iter([1, 2, 3]))
    def check(number: int) -> None:
        assert number != 2

    for _ in range(2):
        with pytest.raises(pytest.fail.Exception, match=r"1 of 3 cases fail\nnumber=2"):
            check()


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


def test_an_enumeration_is_a_table() -> None:
    class Side(Enum):
        LEFT = 1
        RIGHT = 2

    @every("side", Side)
    def check(side: Side) -> None:
        assert side is Side.LEFT

    with pytest.raises(pytest.fail.Exception, match="1 of 2 cases fail"):
        check()
