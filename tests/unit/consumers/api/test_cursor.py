"""Cursors: what was made is read again, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from consumers.api.parameters import cursor_of, index_after, indexes_after, text_after, texts_after
from events.values.bilingual import Language
from infra.http.problems import Problem, problem_document
from tests.every import every


def test_a_cursor_leads_to_its_key() -> None:
    for text in ("SVC-1", "a" * 256):
        assert text_after(cursor_of((text,))) == text
    for index in (0, 7, 2**53):
        assert index_after(cursor_of((index,))) == index
    assert indexes_after(cursor_of((7, 3))) == (7, 3)
    assert texts_after(cursor_of(("2026-11-26", "SVC-1"))) == ("2026-11-26", "SVC-1")
    # Without one a list begins at its beginning.
    assert (text_after(None), index_after(None), indexes_after(None)) == ("", -1, (-1, -1))
    assert texts_after(None) == ("", "")


NO_IDS = ("", "x", "!!", "e30", "WyJhIiwiYiJd", "WzFd", "W10", "bnVsbA", "\u0661")


@every(
    ("read", "cursor"),
    [
        *((text_after, cursor) for cursor in (*NO_IDS, cursor_of(("a\0",)), cursor_of(("a" * 257,)))),
        *((index_after, cursor_of(key)) for key in ((-1,), (2**53 + 1,), (True,), ("1",), (1, 2))),
        *((texts_after, cursor) for cursor in ("x", *map(cursor_of, (("a",), ("a", 1), ("a", "\0"))))),
    ],
)
def test_what_is_no_cursor_of_this_list_is_a_bad_parameter(read: Callable[[str], object], cursor: str) -> None:
    with pytest.raises(Problem) as caught:
        read(cursor)
    assert (caught.value.code, caught.value.errors[0]["parameter"]) == ("bad-parameter", "after")
    words: dict[Language, str] = {"ar": "مؤشرها", "en": "cursor"}
    for language, word in words.items():
        assert word in problem_document(caught.value, language)["errors"][0]["detail"]
