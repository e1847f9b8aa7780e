"""Which agencies' topics are paused now: the breaker of each topic, and what it does to the reader and the backlog.

The platform's own topic has none: a refused event of the platform is a bug that alarms, and the others wait for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

import structlog

from consumers.registrar.batch import Reading
from consumers.registrar.breaker import Breaker, BreakerState, pause_length
from consumers.registrar.journal import ReadPosition
from consumers.registrar.reader import Reader
from infra.clock import Clock
from infra.kafka.client_config import agency_topic
from infra.observability.telemetry import gauge
from infra.postgres.outbox import PLATFORM
from infra.process.health import Progress
from infra.settings import Settings

_NEVER_PAUSED: Final = agency_topic(PLATFORM)

log = structlog.get_logger()


class Pauses:
    """The breakers of one epoch, which begin from what the database says."""

    def __init__(self, settings: Settings, clock: Clock, progress: Progress) -> None:
        self.breakers: dict[str, Breaker] = {}
        self._settings = settings
        self._clock = clock
        self._progress = progress
        self._probed: set[str] = set()
        """Topics of which one record was asked for and is not registered yet."""

    def take_up(self, positions: Mapping[str, ReadPosition], reader: Reader) -> None:
        """Topics that are read from now on, with the breakers that an epoch before left."""
        for topic in self.breakers.keys() - positions.keys():
            del self.breakers[topic]
            self._probed.discard(topic)
        for topic, position in positions.items():
            if topic not in self.breakers and topic != _NEVER_PAUSED:
                state = self._bounded(position.breaker)
                self.breakers[topic] = Breaker(self._settings, state, position.uncounted_up_to)
        for topic in self._paused():
            if topic not in self._probed:
                reader.hold(topic)
        self._report()

    def unpause_topic(self, positions: Mapping[str, ReadPosition], reader: Reader) -> list[str]:
        """Take up what an operator let through; returns the topics that the database still shows as paused."""
        for topic, position in positions.items():
            if topic in self.breakers and self._is_let_through(self.breakers[topic], position, reader, topic):
                self.breakers[topic].close()
                self._resume(topic, reader, "an operator let its records through")
        paused = self._paused()
        return [t for t, position in positions.items() if position.breaker.pause is not None and t not in paused]

    def probe_due(self, reader: Reader) -> None:
        """Let one record be read of each topic whose pause is over."""
        if reader.held:
            now = self._clock()
            for topic in self._paused():
                if topic not in self._probed and self.breakers[topic].state(now) == "half-open":
                    self._probed.add(topic)
                    reader.allow_one(topic)

    def apply(self, changed: Mapping[str, BreakerState], readings: Iterable[Reading], reader: Reader) -> list[str]:
        """Hold or resume the topics of which these readings were numbered; returns those that are paused now.

        `changed` are the states of the breakers that changed by it.
        """
        paused = []
        for reading in readings:
            topic = reading.topic
            was_probed = topic in self._probed
            self._probed.discard(topic)
            if topic not in changed:
                continue
            if (pause := changed[topic].pause) is not None:
                reader.hold(topic, reading.records[-1])
                paused.append(topic)
                if pause.times == 1:
                    until = pause.until.isoformat(timespec="seconds")
                    log.warning("a topic is paused", topic=topic, reason=pause.reason["en"], until=until)
            elif was_probed:
                self._resume(topic, reader, "a record of it was accepted")
        self._report()
        return paused

    @staticmethod
    def _is_let_through(breaker: Breaker, position: ReadPosition, reader: Reader, topic: str) -> bool:
        """Take up how far an operator let a topic through; whether that ends its pause.

        A request made in this epoch always does: the one record that it may concern can have been read meanwhile, as a
        probe. One of before does while any of its records is left; without one it is forgotten, and is to be repeated.
        """
        is_new = position.uncounted_up_to > breaker.uncounted_up_to
        breaker.uncounted_up_to = position.uncounted_up_to
        is_left = reader.next_offsets.get(topic, 0) < breaker.uncounted_up_to
        return breaker.pause is not None and (is_new or is_left)

    def _resume(self, topic: str, reader: Reader, why: str) -> None:
        self._probed.discard(topic)
        reader.resume(topic)
        log.info("a topic is read as usual again", topic=topic, reason=why)
        self._report()

    def _bounded(self, state: BreakerState) -> BreakerState:
        """Clocks of machines differ: no pause that another process wrote is longer than our own longest."""
        pause = state.pause
        if pause is None:
            return state
        longest = self._clock() + pause_length(self._settings, pause.times)
        return replace(state, pause=replace(pause, until=min(pause.until, longest)))

    def _paused(self) -> list[str]:
        return [topic for topic, breaker in self.breakers.items() if breaker.pause is not None]

    def _report(self) -> None:
        self._progress.paused = {
            topic: {"until": breaker.pause.until.isoformat(timespec="seconds"), **breaker.pause.reason}
            for topic, breaker in self.breakers.items()
            if breaker.pause is not None
        }
        gauge("topics_paused", len(self._progress.paused))
