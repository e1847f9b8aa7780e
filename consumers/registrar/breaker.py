"""A circuit breaker that pauses a topic of invalid records, as a pure state machine.

Every refusal is a permanent entry of the national log. A topic with too many refusals is *paused*: it is not read for
some time, then one record is read (*half-open*). If the record is accepted, the breaker closes; if it is refused, it
opens again for longer. Nothing is skipped, and other topics are not affected. Only refusals by validation (form and
authority) count; a duplicate or a conflict counts as accepted.
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
    """The refusals that pause a topic, and the length of the pause."""

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
        """The length of pause number `times` in a row (from 1): each is twice the one before, up to the maximum."""
        return timedelta(seconds=min(self.wait_max_s, self.wait_s * 2 ** min(times - 1, _DOUBLINGS_MAX)))


@dataclass(frozen=True, slots=True)
class Pause:
    """An open breaker: its end, its number in a row, and the reason in Arabic and English."""

    until: datetime
    times: int
    reason: Words


class Breaker:
    """The state of one topic. `pause` must survive a restart; the counts of a closed breaker restart from zero."""

    def __init__(self, limits: Limits, pause: Pause | None = None) -> None:
        self.limits = limits
        self.pause = pause
        self._in_a_row = 0
        self._window_read = 0
        self._window_refused = 0

    def state(self, now: datetime) -> State:
        """Half-open: the pause is over, and one record may be read."""
        if self.pause is None:
            return "closed"
        return "open" if now < self.pause.until else "half-open"

    def record(self, refused: Sequence[bool], now: datetime) -> int:
        """Record verdicts in reading order; returns how many were recorded before the topic was paused.

        For a half-open topic exactly one verdict is recorded.
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
        """End the pause and reset the counts."""
        self.pause = None
        self._in_a_row = self._window_read = self._window_refused = 0

    def _accepted(self, count: int) -> None:
        self._in_a_row = 0
        self._read(count)

    def _refused(self) -> Words | None:
        """The reason to pause, if this refusal exceeds a limit."""
        self._in_a_row += 1
        self._window_refused += 1
        if self._in_a_row >= self.limits.in_a_row_max:
            return _reason_in_a_row(self._in_a_row)
        if self._window_refused >= self.limits.refused_in_window_max:
            return _reason_of_window(self._window_refused, self.limits.window_records)
        self._read(1)
        return None

    def _read(self, count: int) -> None:
        """Advance the window; each new window begins without refusals."""
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
        "ar": f"رُفض {refused} سجل ضمن {window} سجل",
        "en": f"{refused} records within {window} were refused",
    }
