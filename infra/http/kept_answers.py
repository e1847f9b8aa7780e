"""Answers that never change, kept in memory: the gateway sends them before its router, whose search for a route costs
more than the answer."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from fastapi import Response

BYTES_MAX: Final = 8 << 20
"""Tiles of about 260,000 entries, or of 67 million entries above the leaves."""


class KeptAnswers:
    """Public answers to GET by path; those that were not asked for longest are dropped first."""

    def __init__(self, bytes_max: int = BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._answers: OrderedDict[str, Response] = OrderedDict()
        self._bytes = 0

    def get(self, path: str) -> Response | None:
        answer = self._answers.get(path)
        if answer is not None:
            self._answers.move_to_end(path)
        return answer

    def keep(self, path: str, answer: Response) -> None:
        """Keep an answer that is the same for every caller."""
        if path in self._answers:
            return
        self._answers[path] = answer
        self._bytes += len(answer.body)
        while self._bytes > self._bytes_max:
            _, dropped = self._answers.popitem(last=False)
            self._bytes -= len(dropped.body)
