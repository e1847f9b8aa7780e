"""A catalogue is one test, which names every case that fails.

A test of each case (`pytest.mark.parametrize`) is collected, set up and reported: more work than most checks of a
catalogue. Pytest's own `subtests` reports each case as well.
"""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Any, Final

import pytest

SHOWN: Final = 400
"""Characters of a case: whole documents are cases as well."""


Cases = Iterable[Any]


def every(
    names: str | tuple[str, ...], cases: Cases | Callable[[], Cases]
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """As `pytest.mark.parametrize`, but one test. What the function takes beside the names are fixtures, the same ones
    for every case. Cases that take time to list are given as a function, which the test calls."""
    wanted = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
    single = isinstance(names, str) and len(wanted) == 1

    def table() -> list[dict[str, Any]]:
        listed = [case if not single else (case,) for case in (cases if isinstance(cases, Iterable) else cases())]
        assert listed, "a catalogue without a case checks nothing"
        return [dict(zip(wanted, case, strict=True)) for case in listed]

    def one_test(check: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.iscoroutinefunction(check):

            @wraps(check)
            async def test(**fixtures: Any) -> None:
                failures: list[str] = []
                for case in (rows := table()):
                    with noted(failures, case):
                        await check(**fixtures, **case)
                tell(failures, len(rows))
        else:

            @wraps(check)
            def test(**fixtures: Any) -> None:
                failures: list[str] = []
                for case in (rows := table()):
                    with noted(failures, case):
                        check(**fixtures, **case)
                tell(failures, len(rows))

        signature = inspect.signature(check)
        fixtures = [given for name, given in signature.parameters.items() if name not in wanted]
        assert len(fixtures) + len(wanted) == len(signature.parameters), f"{check.__name__} takes no {names}"
        test.__signature__ = signature.replace(parameters=fixtures)  # type: ignore[attr-defined]
        return test

    return one_test


@contextmanager
def noted(failures: list[str], case: Mapping[str, Any]) -> Iterator[None]:
    """Note the case with its place in the test and what was wrong, and go on."""
    try:
        yield
    except (Exception, pytest.fail.Exception) as error:
        frames = traceback.extract_tb(error.__traceback__)
        place = next((frame for frame in reversed(frames) if "tests" in frame.filename), frames[-1])
        shown = ", ".join(f"{name}={value!r:.{SHOWN}}" for name, value in case.items())
        failures.append(f"{shown}\n  line {place.lineno}: {type(error).__name__}: {error}")


def tell(failures: list[str], cases: int) -> None:
    if failures:
        pytest.fail("\n".join([f"{len(failures)} of {cases} cases fail", *failures]), pytrace=False)
