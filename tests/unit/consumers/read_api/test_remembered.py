"""Of answers that never change as many are remembered as fit."""

from __future__ import annotations

from consumers.read_api.remembered import Remembered


def test_the_answer_that_was_asked_for_longest_ago_makes_room() -> None:
    answers: Remembered[str] = Remembered(2)
    answers.add(1, "one")
    answers.add(2, "two")
    assert answers.get(1) == "one"
    answers.add(3, "three")
    assert [answers.get(question) for question in (1, 2, 3)] == ["one", None, "three"]
