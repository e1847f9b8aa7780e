"""Where `yesser publish` sends lines: the agency's topic in Kafka, or a gateway."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from producers.publisher.report import Report

Acknowledged = Callable[[Sequence[int], int], None]
"""Called for lines that are stored, in order: their numbers, and the offset of the first of them."""


class Progress:
    """Receives the progress of a run; this one shows nothing."""

    def read(self, bytes_count: int) -> None:
        """This many more bytes of the file were read."""

    def verdicts(self, lines_count: int, of_count: int) -> None:
        """This many of the sent lines have their verdict."""

    def waits(self, reason: str) -> None:
        """The verdicts are delayed, for this reason; called once per pause."""


class Publisher(Protocol):
    """Stores lines in order. `tag` is the number of a line."""

    async def add(self, value: bytes, tag: int = 0) -> None:
        """Send a line with others, when they are enough or at a `push`."""

    async def push(self) -> None:
        """Send what was added."""

    async def flush(self) -> None:
        """Return when all that was added is stored, or refused."""


class Destination(Protocol):
    """Stores lines, and says what became of them. Each error that says nothing was stored is a `Reject`."""

    def publisher(self, report: Report, acknowledged: Acknowledged) -> AbstractAsyncContextManager[Publisher]:
        """The publisher of a run; lines that it refuses are in the report's `unsent`."""

    async def first_sequence(self, timeout_s: float | None) -> int:
        """The first free `sequence` of the agency."""

    async def wait_for_verdicts(self, report: Report, progress: Progress, timeout_s: float | None) -> None:
        """Wait until every sent line has its verdict.

        Raises `TopicHalted`, `RecordsLost`, or `WaitTimedOut` after `timeout_s`; `report` then has the known verdicts.
        """
