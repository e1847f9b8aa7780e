"""When a topic that holds nothing but noise is read more slowly: a circuit breaker, as a pure state machine.

Each refusal takes a place in the national log for ever. A topic whose records are refused without end is *paused*: not
read for some time, then a single record of it (*half-open*). An accepted one closes the breaker, a refused one opens it
again for longer. Nothing is skipped, and the other topics know nothing of it. Refusals are those of the door (form and
authority); a duplicate or a conflict is well-formed and counts as accepted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, Self

from infra.settings import Settings

Clock = Callable[[], datetime]
Words = dict[str, str]
State = Literal["closed", "open", "half-open"]
_PERCENT: Final = 100
_DOUBLINGS_MAX: Final = 32


@dataclass(frozen=True, slots=True)
class Limits:
    """What an agency may get wrong before its topic is paused, and for how long it is then."""

    in_a_row_max: int
    window_records: int
    refused_percent_max: int
    wait_s: float
    wait_max_s: float

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(
            settings.breaker_refused_in_a_row_max,
            settings.breaker_window_records,
            settings.breaker_refused_percent_max,
            settings.breaker_wait_s,
            settings.breaker_wait_max_s,
        )

    @property
    def refused_in_window_max(self) -> int:
        return -(-self.window_records * self.refused_percent_max // _PERCENT)

    def wait(self, times: int) -> timedelta:
        """The `times`-th wait in a row (from 1): each is twice the one before, up to the longest."""
        return timedelta(seconds=min(self.wait_max_s, self.wait_s * 2 ** min(times - 1, _DOUBLINGS_MAX)))


@dataclass(frozen=True, slots=True)
class Pause:
    """An open breaker: until when, the how-manieth time in a row, and why, in Arabic and English."""

    until: datetime
    times: int
    reason: Words


class Breaker:
    """The state of one topic. `pause` is what must survive a restart; the counts of a closed one may start anew."""

    def __init__(self, limits: Limits, pause: Pause | None = None) -> None:
        self.limits = limits
        self.pause = pause
        self._in_a_row = 0
        self._window_read = 0
        self._window_refused = 0

    def state(self, now: datetime) -> State:
        """Half-open: the wait is over, and one record may be read."""
        if self.pause is None:
            return "closed"
        return "open" if now < self.pause.until else "half-open"

    def record(self, refused: Sequence[bool], now: datetime) -> int:
        """Take verdicts in, in reading order; returns after how many of them the topic is paused, else their number.

        Of a half-open topic exactly one verdict is taken.
        """
        if self.pause is not None:
            self._probed(refused[0], self.pause, now)
            return 1
        if True not in refused:
            self._accepted(len(refused))
            return len(refused)
        for taken, is_refused in enumerate(refused, 1):
            if not is_refused:
                self._accepted(1)
            elif (reason := self._refused()) is not None:
                self._open(1, reason, now)
                return taken
        return len(refused)

    def close(self) -> None:
        """Read as usual again, and count anew."""
        self.pause = None
        self._in_a_row = self._window_read = self._window_refused = 0

    def _accepted(self, count: int) -> None:
        self._in_a_row = 0
        self._read(count)

    def _refused(self) -> Words | None:
        """The reason to pause, if this refusal is one too many."""
        self._in_a_row += 1
        self._window_refused += 1
        if self._in_a_row >= self.limits.in_a_row_max:
            return _reason_in_a_row(self._in_a_row)
        if self._window_refused >= self.limits.refused_in_window_max:
            return _reason_of_window(self._window_refused, self.limits.window_records)
        self._read(1)
        return None

    def _read(self, count: int) -> None:
        """The window moves on; each begins with no refusals."""
        self._window_read += count
        if self._window_read >= self.limits.window_records:
            self._window_read %= self.limits.window_records
            self._window_refused = 0

    def _probed(self, is_refused: bool, pause: Pause, now: datetime) -> None:
        if is_refused:
            self._open(pause.times + 1, pause.reason, now)
        else:
            self.close()

    def _open(self, times: int, reason: Words, now: datetime) -> None:
        self.close()
        self.pause = Pause(now + self.limits.wait(times), times, reason)


def _reason_in_a_row(count: int) -> Words:
    return {"ar": f"رُفض {count} سجل على التوالي", "en": f"{count} records in a row were refused"}


def _reason_of_window(refused: int, window: int) -> Words:
    return {
        "ar": f"رُفض {refused} من أحدث {window} سجل على الأكثر",
        "en": f"{refused} of at most {window} records were refused",
    }
