"""A circuit breaker that pauses a topic of useless records, as a pure state machine.

A refusal or a conflict is a permanent entry of the national log, and a duplicate is a row. A topic with too many of one
kind is *paused*: it is not read for some time, then one record is read (*half-open*). A record of a better kind closes
the breaker; any other opens it again for longer. Nothing is skipped, and other topics are not affected.

Each kind has a leaky bucket. A record fills the bucket of its kind and drains those of worse kinds, so that only a
share above the limit fills one. One more bucket is of bytes: refusals and conflicts, whose records are kept, fill it,
and the others drain it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Final, Literal

from msgspec.structs import asdict

from events.values.bilingual import Bilingual
from infra.settings import Settings

Words = dict[str, str]
State = Literal["closed", "open", "half-open"]
Levels = tuple[int, ...]
"""How full the buckets of duplicates, conflicts, refusals, and bytes of refusals and conflicts are."""

_PERCENT: Final = 100
_DOUBLINGS_MAX: Final = 32


class Outcome(IntEnum):
    """What became of a record, from the best to the worst."""

    ACCEPTED = 0
    DUPLICATE = 1
    CONFLICT = 2
    REFUSED = 3


COUNTED: Final = (Outcome.DUPLICATE, Outcome.CONFLICT, Outcome.REFUSED)
EMPTY: Final[Levels] = (0,) * (len(COUNTED) + 1)


def in_a_row_max(settings: Settings) -> Levels:
    """How many records of each kind in a row pause a topic, in the order of `COUNTED`, and how many bytes do."""
    return (
        settings.breaker_duplicates_in_a_row_max,
        settings.breaker_conflicts_in_a_row_max,
        settings.breaker_refused_in_a_row_max,
        settings.breaker_refused_bytes_max,
    )


def pause_length(settings: Settings, times: int) -> timedelta:
    """The length of pause number `times` in a row (from 1): each is twice the one before, up to the maximum."""
    wait_s = settings.breaker_wait_s * 2 ** min(times - 1, _DOUBLINGS_MAX)
    return timedelta(seconds=min(settings.breaker_wait_max_s, wait_s))


@dataclass(frozen=True, slots=True)
class Pause:
    """An open breaker: its end, its number in a row, the kind of record that opened it, and the reason in Arabic and
    English."""

    until: datetime
    times: int
    reason: Words
    cause: Outcome = Outcome.REFUSED


@dataclass(frozen=True, slots=True)
class BreakerState:
    """What the database keeps of a breaker, written in the transaction of the records that it counts."""

    levels: Levels = EMPTY
    pause: Pause | None = None


CLOSED: Final = BreakerState()


class Breaker:
    """The breaker of one topic. Records below `uncounted_up_to` were let through by an operator and are not counted."""

    def __init__(self, settings: Settings, state: BreakerState = CLOSED, uncounted_up_to: int = 0) -> None:
        self._settings = settings
        self._drain = settings.breaker_percent_max
        self._fill = _PERCENT - self._drain
        """At this share of a kind its bucket fills as fast as it drains."""
        self._in_a_row_max = in_a_row_max(settings)
        self.uncounted_up_to = uncounted_up_to
        self.pause: Pause | None = None
        self._levels = EMPTY
        self._counting = False
        self._set(state)

    @property
    def kept(self) -> BreakerState:
        return BreakerState(self._levels, self.pause)

    def state(self, now: datetime) -> State:
        """Half-open: the pause is over, and one record may be read."""
        if self.pause is None:
            return "closed"
        return "open" if now < self.pause.until else "half-open"

    def record(self, outcome: Outcome, offset: int, size: int, now: datetime) -> bool:
        """Count a record of `size` bytes, in reading order; returns whether the topic is paused after it."""
        if (outcome is Outcome.ACCEPTED and not self._counting) or offset < self.uncounted_up_to:
            return False
        if self.pause is not None:
            if outcome >= self.pause.cause:
                self._open(self.pause.times + 1, self.pause.reason, self.pause.cause, now)
            else:
                self.close()
            return self.pause is not None
        *kinds, kept_level = self._levels
        levels = [
            self._moved(level, 1, fills=outcome == kind, drains=outcome < kind)
            for kind, level in zip(COUNTED, kinds, strict=True)
        ]
        is_kept = outcome >= Outcome.CONFLICT
        levels.append(self._moved(kept_level, size, fills=is_kept, drains=not is_kept))
        self._set(BreakerState(tuple(levels)))
        full = [level >= most * self._fill for level, most in zip(levels, self._in_a_row_max, strict=True)]
        if outcome is not Outcome.ACCEPTED and full[outcome - 1]:
            self._open(1, asdict(_REASONS[outcome].format(self._in_a_row_max[outcome - 1])), outcome, now)
        elif is_kept and full[-1]:
            self._open(1, asdict(_REFUSED_BYTES.format(self._in_a_row_max[-1])), outcome, now)
        return self.pause is not None

    def _moved(self, level: int, amount: int, *, fills: bool, drains: bool) -> int:
        if fills:
            return level + self._fill * amount
        return max(0, level - self._drain * amount) if drains else level

    def close(self) -> None:
        """End the pause and empty the buckets."""
        self._set(CLOSED)

    def _open(self, times: int, reason: Words, cause: Outcome, now: datetime) -> None:
        self._set(BreakerState(EMPTY, Pause(now + pause_length(self._settings, times), times, reason, cause)))

    def _set(self, state: BreakerState) -> None:
        self._levels, self.pause = state.levels, state.pause
        self._counting = self.pause is not None or any(self._levels)


_REASONS: Final[Mapping[Outcome, Bilingual]] = {
    Outcome.DUPLICATE: Bilingual(
        "كرر {} من السجلات أحداثًا مسجلة ولم يُقبل بينها إلا القليل",
        "{} records repeated registered events, and few were accepted between them",
    ),
    Outcome.CONFLICT: Bilingual(
        "استعمل {} من السجلات معرّفات أحداث أخرى ولم يُقبل بينها إلا القليل",
        "{} records used the ids of other events, and few were accepted between them",
    ),
    Outcome.REFUSED: Bilingual(
        "رُفض {} من السجلات ولم يُقبل بينها إلا القليل", "{} records were refused, and few were accepted between them"
    ),
}
_REFUSED_BYTES: Final = Bilingual(
    "بلغ حجم السجلات المرفوضة {:,} بايت ولم يُقبل بينها إلا القليل",
    "{:,} bytes of records were refused, and few were accepted between them",
)
