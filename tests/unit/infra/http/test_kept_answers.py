"""Answers are kept within so many bytes, and those that were not asked for longest go first."""

from __future__ import annotations

from fastapi import Response

from infra.http.kept_answers import KeptAnswers


def test_what_was_not_asked_for_longest_is_dropped_first_and_an_answer_made_twice_counts_once() -> None:
    kept = KeptAnswers(bytes_max=20)
    first, second, third = (Response(bytes(10)) for _ in range(3))
    kept.keep("/1", first)
    kept.keep("/1", Response(bytes(10)))
    kept.keep("/2", second)
    assert kept.get("/1") is first
    kept.keep("/3", third)
    assert [kept.get(path) for path in ("/1", "/2", "/3")] == [first, None, third]
