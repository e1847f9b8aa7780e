"""Answers that never change, as many as fit: the one that was asked for longest ago makes room."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Remembered(Generic[T]):
    """At most `answers_max` answers by what was asked."""

    def __init__(self, answers_max: int) -> None:
        self._answers_max = answers_max
        self._answers: OrderedDict[Hashable, T] = OrderedDict()

    def get(self, question: Hashable) -> T | None:
        """The answer, if it is remembered."""
        answer = self._answers.get(question)
        if answer is not None:
            self._answers.move_to_end(question)
        return answer

    def add(self, question: Hashable, answer: T) -> None:
        self._answers[question] = answer
        if len(self._answers) > self._answers_max:
            self._answers.popitem(last=False)
