"""Which agencies' topics are paused now: the breaker of each topic, what it does to the reader, and what is said of it.

The platform's own topic has none: a refused event of the platform is a bug that alarms, and the others wait for it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from typing import Any, Final

import structlog

from consumers.registrar.batch import Reading
from consumers.registrar.breaker import Breaker, Clock, Limits, Pause
from consumers.registrar.journal import ReadPosition
from consumers.registrar.reader import Reader
from events.validation.verdicts import Refused
from infra.kafka.client_config import agency_topic
from infra.observability.telemetry import gauge
from infra.postgres.outbox import PLATFORM
from infra.process.health import Progress
from infra.settings import Settings

_NEVER_PAUSED: Final = agency_topic(PLATFORM)

log = structlog.get_logger()


class Pauses:
    """The breakers of one owner, which begin from what the database says."""

    def __init__(self, settings: Settings, clock: Clock, progress: Progress) -> None:
        self._limits = Limits.of(settings)
        self._clock = clock
        self._progress = progress
        self._breakers: dict[str, Breaker] = {}
        self._uncounted_up_to: dict[str, int] = {}

    def take_up(self, positions: Mapping[str, ReadPosition], reader: Reader) -> None:
        """Topics that are read from now on, with the pauses that an owner before left."""
        for topic in self._breakers.keys() - positions.keys():
            del self._breakers[topic]
        for topic, position in positions.items():
            if topic not in self._breakers and topic != _NEVER_PAUSED:
                self._breakers[topic] = Breaker(self._limits, self._bounded(position.pause))
            self._uncounted_up_to[topic] = position.uncounted_up_to
        for topic in self._paused():
            reader.hold(topic)
        self._tell()

    def unpause_topic(self, positions: Mapping[str, ReadPosition], reader: Reader) -> list[str]:
        """Take up what a person let through; returns the topics of which the database says wrongly that they wait."""
        self._uncounted_up_to |= {topic: p.uncounted_up_to for topic, p in positions.items()}
        ended = [t for t in self._paused() if reader.next_offsets.get(t, 0) < self._uncounted_up_to.get(t, 0)]
        for topic in ended:
            self._resume(topic, reader, "a person let its records through")
        paused = self._paused()
        return [topic for topic, position in positions.items() if position.pause is not None and topic not in paused]

    def probe_due(self, reader: Reader) -> None:
        """Let one record be read of each topic whose pause is over."""
        if reader.held:
            now = self._clock()
            for topic in self._paused():
                if self._breakers[topic].state(now) == "half-open":
                    reader.allow_one(topic)

    def judge(self, reading: Reading, reader: Reader) -> None:
        """Count the refusals of a reading; where the topic is paused in the midst of it, the rest is read later."""
        breaker = self._breakers.get(reading.topic)
        if breaker is None:
            return
        uncounted = self._uncounted(reading)
        refused = [verdict.__class__ is Refused for verdict in reading.verdicts[uncounted:]]
        if not refused:
            return
        before = breaker.pause
        taken = uncounted + breaker.record(refused, self._clock())
        if breaker.pause is before:
            return
        reading.pause, reading.pause_changed = breaker.pause, True
        if breaker.pause is None:
            self._resume(reading.topic, reader, "a record of it was accepted")
            return
        reading.records, reading.verdicts = reading.records[:taken], reading.verdicts[:taken]
        reader.hold(reading.topic, reading.records[-1])
        if before is None:
            until = breaker.pause.until.isoformat(timespec="seconds")
            log.warning("a topic is paused", topic=reading.topic, reason=breaker.pause.reason["en"], until=until)
        self._tell()

    def _uncounted(self, reading: Reading) -> int:
        """How many of the records were let through by a person."""
        up_to = self._uncounted_up_to.get(reading.topic, 0)
        if reading.records[0].offset >= up_to:
            return 0
        return bisect_left(reading.records, up_to, key=lambda record: record.offset)

    def _resume(self, topic: str, reader: Reader, why: str) -> None:
        self._breakers[topic].close()
        reader.resume(topic)
        log.info("a topic is read as usual again", topic=topic, reason=why)
        self._tell()

    def _bounded(self, pause: Pause | None) -> Pause | None:
        """Clocks of machines differ: no pause of another's is longer than our own longest."""
        if pause is None:
            return None
        return Pause(min(pause.until, self._clock() + self._limits.wait(pause.times)), pause.times, pause.reason)

    def _paused(self) -> list[str]:
        return [topic for topic, breaker in self._breakers.items() if breaker.pause is not None]

    def _tell(self) -> None:
        told: dict[str, Any] = {}
        for topic, breaker in self._breakers.items():
            if breaker.pause is not None:
                told[topic] = {"until": breaker.pause.until.isoformat(timespec="seconds"), **breaker.pause.reason}
        self._progress.paused = told
        gauge("topics_paused", len(told))
