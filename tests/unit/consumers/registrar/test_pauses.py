"""An operator's request ends a pause, whatever the reader has read of the topic meanwhile."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from consumers.registrar.batch import NO_MARK, Batch, number
from consumers.registrar.breaker import CLOSED, EMPTY, BreakerState, Pause
from consumers.registrar.journal import ReadPosition
from consumers.registrar.pauses import Pauses
from infra.process.health import Progress
from infra.settings import Settings
from tests.world.records import HEALTH, NOW, RECORDED, Record, read, said, topic_of

TOPIC = topic_of(HEALTH)
PAUSED = BreakerState(EMPTY, Pause(NOW - timedelta(seconds=1), 1, {"ar": "سبب", "en": "reason"}))


class Topic:
    """A reader of one topic, and the registrar's steps over it. The record at offset 5 is the next."""

    def __init__(self, state: BreakerState = PAUSED, uncounted_up_to: int = 0) -> None:
        self.next_offsets = {TOPIC: 5}
        self.held: set[str] = set()
        self.asked: list[str] = []
        self.position = ReadPosition(5, NO_MARK, None, state, uncounted_up_to)
        self.pauses = Pauses(Settings(), lambda: NOW, Progress(time.monotonic))
        self.reader: Any = self
        self.take_up()

    def hold(self, topic: str, last: Any = None) -> None:
        self.held.add(topic)

    def allow_one(self, topic: str) -> None:
        self.asked.append(topic)

    def resume(self, topic: str) -> None:
        self.held.discard(topic)

    def take_up(self) -> None:
        self.pauses.take_up({TOPIC: self.position}, self.reader)

    def probe(self) -> int:
        """How many records were asked for until now."""
        self.pauses.probe_due(self.reader)
        return len(self.asked)

    def look(self) -> list[str]:
        return self.pauses.unpause_topic({TOPIC: self.position}, self.reader)

    def number(self, *values: bytes) -> None:
        """The next records are read and numbered."""
        first = self.next_offsets[TOPIC]
        self.next_offsets[TOPIC] += len(values)
        self.number_read(first, values)

    def number_read(self, first: int, values: Sequence[bytes]) -> None:
        readings = [read(HEALTH, [Record(first + place, value) for place, value in enumerate(values)])]
        batch = Batch(0, RECORDED)
        for _ in number(batch, readings, {}, self.pauses.breakers, NOW):
            pass
        self.pauses.apply(batch.breakers, readings, self.reader)

    @property
    def is_held(self) -> bool:
        assert bool(self.held) == (self.pauses.breakers[TOPIC].pause is not None)
        return bool(self.held)


def test_a_request_that_meets_the_probe_ends_the_pause_also_where_its_record_was_numbered_meanwhile() -> None:
    topic = Topic()
    assert topic.probe() == 1
    topic.next_offsets[TOPIC] = 6  # the only record was read, and has no number yet
    topic.position.uncounted_up_to = 6  # `yesser registrar unpause`
    assert topic.look() == [TOPIC]
    assert not topic.is_held
    topic.number_read(5, [b"{}"])
    topic.number(said("good"))
    assert not topic.is_held
    for another_topic_is_taken_up in (False, True):
        topic = Topic()
        topic.probe()
        topic.number(b"{}")
        assert topic.is_held
        topic.position.uncounted_up_to = 6
        if another_topic_is_taken_up:
            topic.take_up()
        assert topic.look() == [TOPIC]
        assert not topic.is_held


def test_a_probe_that_was_not_counted_is_followed_by_the_next() -> None:
    topic = Topic(uncounted_up_to=6)
    assert topic.probe() == 1
    topic.number(b"{}")
    assert topic.is_held
    assert topic.probe() == 2
    topic.number(said("good"))
    assert not topic.is_held


def test_a_request_of_before_this_epoch_counts_while_a_record_of_it_is_left() -> None:
    for uncounted_up_to, found, is_held in ((5, [], True), (6, [TOPIC], False)):
        topic = Topic(uncounted_up_to=uncounted_up_to)
        assert topic.look() == found
        assert topic.is_held is is_held
        topic.look()
        assert topic.is_held is is_held


def test_a_request_ends_one_pause_only() -> None:
    topic = Topic()
    topic.position.uncounted_up_to = 6
    topic.look()
    topic.position.breaker = CLOSED
    topic.number(*[b"{}"] * (1 + Settings().breaker_refused_in_a_row_max))
    assert topic.is_held
    assert topic.look() == []
    assert topic.is_held


def test_large_refused_records_are_counted_by_their_bytes() -> None:
    topic = Topic(CLOSED)
    topic.number(*[b"x" * 131_072] * 127)
    assert not topic.is_held
    topic.number(b"x" * 131_072)
    assert topic.is_held, "16 MiB, long before 500 records"
