"""`recordedtime` is near the time of PostgreSQL and of Kafka: three clocks are compared before entries are committed.

`recordedtime` never goes back, so that one entry from the future would give every later entry its time. PostgreSQL's
clock is read in the transaction of each batch. Kafka's is known when it acknowledges a checkpoint (at every take-over,
and each second while the log grows); between two of them, the monotonic clock shows whether this machine's was set.

A difference is one that neither the start nor the end of the comparison explains, so that a process that was suspended
meanwhile does not count as one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from events.errors import Halt, Retry
from events.wire.entry import recorded_time
from infra.clock import Clock


class ClocksDiffer(Halt):
    """The clocks of this machine, PostgreSQL and Kafka differ too much: nothing is registered."""


class ClockSet(Retry):
    """This machine's clock was set: it is compared with Kafka's again."""


class TooLate(Retry):
    """A batch got its recorded time too long ago (this process was suspended): it is read again, and gets another."""


@dataclass(slots=True)
class ClockCheck:
    """Compares this machine's clock with the others. `max_s` is the largest difference that is accepted."""

    clock: Clock
    monotonic: Callable[[], float]
    max_s: float
    _start_s: float | None = field(default=None, init=False)
    """When the monotonic clock was 0, by this machine's clock as Kafka's last agreed with it."""

    def now(self) -> datetime:
        """The time for a batch. Raises `ClockSet`."""
        now = self.clock()
        if self._start_s is not None and abs(self._start(now) - self._start_s) > self.max_s:
            raise ClockSet(f"the clock of this machine was set to {recorded_time(now)}: it is compared again")
        return now

    def require_database(self, asked: datetime, database: datetime) -> None:
        """Raise `ClocksDiffer` unless PostgreSQL's clock, asked at `asked`, agrees."""
        self._require("PostgreSQL's", asked, database)

    def require_batch(self, recorded: datetime, database: datetime) -> None:
        """Raise `ClocksDiffer` or `TooLate` unless PostgreSQL's clock agrees with a batch's recorded time: who decides
        as of a recorded time waits for no longer than that."""
        self.require_database(recorded, database)
        if (database - recorded).total_seconds() > self.max_s:
            raise TooLate(f"{TooLate.__doc__} It was {recorded_time(recorded)}, and it is {recorded_time(database)}.")

    def require_kafka(self, asked: datetime, appended: datetime) -> None:
        """Raise `ClocksDiffer` unless Kafka's append time of a record sent at `asked` agrees."""
        self._require("Kafka's", asked, appended)
        self._start_s = self._start(self.clock())

    def require_past(self, recorded: str, database: datetime) -> None:
        """Raise `ClocksDiffer` where the log's last recorded time is in the future of both clocks."""
        now = max(self.clock(), database)
        if recorded and (datetime.fromisoformat(recorded) - now).total_seconds() > self.max_s:
            raise ClocksDiffer(
                f"the log's last recordedtime is {recorded}, but it is {recorded_time(now)}: wait until then, or see"
                " docs/runbook.md (“The log is ahead of the clock”)"
            )

    def _require(self, whose: str, asked: datetime, other: datetime) -> None:
        now = self.clock()
        ahead, behind = (other - max(asked, now)).total_seconds(), (min(asked, now) - other).total_seconds()
        if max(ahead, behind) > self.max_s:
            raise ClocksDiffer(
                f"the clock of this machine shows {recorded_time(now)}, but {whose} shows {recorded_time(other)}, more"
                f" than {self.max_s:g} s apart: correct the one that is wrong (docs/runbook.md)"
            )

    def _start(self, now: datetime) -> float:
        return now.timestamp() - self.monotonic()
