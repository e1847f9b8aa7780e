"""Records that were read and wait, whose turn it is to be validated, and the batch that grows by it.

Agencies take turns by what their records cost, and a batch ends after a cost, so that no agency's records keep the
others' waiting (docs/decisions/agencies-take-turns-by-cost.md). Pure: the clock comes in by argument.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import islice
from types import MappingProxyType
from typing import Final

from consumers.registrar.batch import Reading, Record, fault_of
from events.faults.findings import finding
from events.validation.refusal import REFUSED
from events.validation.validate import validate
from events.validation.verdicts import Accepted, Agency, Refused, refused

TURN_S: Final = 0.001
"""Longest turn of an agency, except for its last record. The commit under way waits for a turn at each of its steps."""
BATCH_COST_S: Final = 0.1
"""A batch of this cost is committed: a larger one would be hardly cheaper, and keep later records waiting."""
SMALL_BATCH_COST_S: Final = 0.005
"""The same while another agency sends: the commit of a large batch would keep its next record waiting."""
SMALL_FOR_S: Final = 1.0
"""How long an agency counts as sending after its last record."""
LATECOMERS_COST_S: Final = 0.003
"""What a full batch may cost beyond its limit, for topics that are not in it yet."""
RECORD_COST_S: Final = 25e-6
BYTE_COST_S: Final = 10e-9
"""About what it costs to commit a record, beside its validation."""
TURN_RECORDS_MAX: Final = 256


class Backlog:
    """The waiting records by topic, in the order of each topic."""

    def __init__(self, bytes_max: int, topic_bytes_max: int, record_bytes: int) -> None:
        """`bytes_max`: of all topics; `topic_bytes_max`: of one; `record_bytes`: the memory of a record without its
        value."""
        self._bytes_max = bytes_max
        self._topic_bytes_max = topic_bytes_max
        self._record_bytes = record_bytes
        self._records: dict[str, deque[Record]] = {}
        self._bytes: dict[str, int] = {}

    @property
    def topics(self) -> Set[str]:
        """The topics with waiting records."""
        return self._records.keys()

    def __len__(self) -> int:
        return sum(map(len, self._records.values()))

    def add(self, found: Mapping[str, Sequence[Record]]) -> None:
        """Add the next records of some topics."""
        for topic, records in found.items():
            if records:
                self._records.setdefault(topic, deque()).extend(records)
                self._bytes[topic] = self._bytes.get(topic, 0) + self._size(records)

    def peek(self, topic: str, count: int) -> Iterator[Record]:
        """The next records of a topic, at most `count`, one by one: a turn ends after a quarter of them."""
        return islice(self._records[topic], count)

    def remove(self, topic: str, count: int, size: int) -> None:
        """Remove the next `count` records of a topic, whose values have `size` bytes: they were validated."""
        waiting = self._records[topic]
        for _ in range(count):
            waiting.popleft()
        self._bytes[topic] -= self._record_bytes * count + size
        if not waiting:
            self.drop(topic)

    def drop(self, topic: str) -> None:
        """Drop the records of a topic, which are read again later."""
        self._records.pop(topic, None)
        self._bytes.pop(topic, None)

    def full(self, arriving: Mapping[str, Sequence[Record]] = MappingProxyType({})) -> set[str]:
        """Topics of which no more is read for now, once the arriving records are added: all must fit into memory."""
        sizes = self._bytes | {t: self._bytes.get(t, 0) + self._size(records) for t, records in arriving.items()}
        share = min(self._topic_bytes_max, self._bytes_max // max(1, len(sizes)))
        return {topic for topic, size in sizes.items() if size >= share}

    def _size(self, records: Sequence[Record]) -> int:
        return self._record_bytes * len(records) + sum([len(record.value or b"") for record in records])


@dataclass(slots=True)
class Turns:
    """Start-time fair queueing: the topic that has used the least takes the next turn.

    Over any time in which two topics have waiting records, their costs differ by no more than a turn of each. A topic
    that was idle begins where the others are: it has saved up nothing, and waits for no backlog.
    """

    _now: float = 0.0
    """The start of the last turn: no waiting topic has used less."""
    _used: dict[str, float] = field(default_factory=dict)

    def next(self, waiting: Iterable[str]) -> str:
        """The topic that takes the next turn, of those with waiting records (at least one)."""
        return min(waiting, key=self._start)

    def charge(self, topic: str, cost: float) -> None:
        """Charge a topic for its turn, which is over."""
        self._now = self._start(topic)[0]
        self._used[topic] = self._now + cost

    def _start(self, topic: str) -> tuple[float, float]:
        """When the topic's next turn starts. Of equal ones, the topic that has used less comes first."""
        used = self._used.get(topic, 0.0)
        return max(used, self._now), used


@dataclass(slots=True)
class BatchSize:
    """How large a batch may become, by when each topic last had waiting records."""

    _waited_at: dict[str, float] = field(default_factory=dict)

    def cost_max_s(self, waiting: Set[str], now: float) -> float:
        """The cost of a batch: small while a topic that sends has no waiting records.

        Its next record then finds a short commit under way. Topics that all have a backlog gain by large batches.
        """
        self._waited_at.update(dict.fromkeys(waiting, now))
        sending = (topic for topic, at in self._waited_at.items() if now - at < SMALL_FOR_S and topic not in waiting)
        return BATCH_COST_S if next(sending, None) is None else SMALL_BATCH_COST_S


@dataclass(frozen=True, slots=True)
class Clocks:
    """Seconds: elapsed ones, which others wait, and those of the processor, which a busy machine does not stretch."""

    elapsed: Callable[[], float]
    processor: Callable[[], float]


@dataclass(slots=True)
class NextBatch:
    """The validated records of the next batch by topic, and what they cost in seconds."""

    records_max: int
    cost_max_s: float = BATCH_COST_S
    readings: dict[str, Reading] = field(default_factory=dict)
    records_count: int = 0
    costs_s: dict[str, float] = field(default_factory=dict)
    _left_some: bool = False
    """Whether the last call of `take` left readings."""

    @property
    def cost_s(self) -> float:
        return sum(self.costs_s.values())

    @property
    def has_fault(self) -> bool:
        """Whether a topic is to be halted with it."""
        return any(reading.fault is not None for reading in self.readings.values())

    @property
    def is_full(self) -> bool:
        return self.cost_s >= self.cost_max_s or self.records_count >= self.records_max

    def has_room(self, topic: str) -> bool:
        """Whether records of this topic may be added: in a full batch only the first ones of a topic, so that they do
        not wait for a further batch."""
        if self.records_count >= self.records_max:
            return False
        limit_s = self.cost_max_s if topic in self.readings else self.cost_max_s + LATECOMERS_COST_S
        return self.cost_s < limit_s

    def is_due(self, backlog: Backlog) -> bool:
        """Whether to commit it once the commit before it is done: it is full, or a topic of it has no more records.

        The records of such a topic wait for nothing else. Those of a backlog gain by a larger batch.
        """
        return bool(self.readings) and (self.is_full or not self.readings.keys() <= set(backlog.topics))

    def take_turn(
        self, topic: str, backlog: Backlog, turns: Turns, agencies: Mapping[str, Agency], clocks: Clocks
    ) -> float:
        """Validate the next records of a topic, at least one, until its turn is over.

        A bug that a record meets ends the topic's reading at it (`Reading.fault`): what waits behind it is dropped.
        Returns the seconds by which its last record exceeded the turn.
        """
        agency = agencies[topic]
        reading = self.readings.setdefault(topic, Reading(topic, agency, [], []))
        records = backlog.peek(topic, min(TURN_RECORDS_MAX, self.records_max - self.records_count))
        began, processor_began, count, size = clocks.elapsed(), clocks.processor(), 0, 0
        for record in records:
            try:
                reading.verdicts.append(verdict_on(record, agency))
            except Exception as error:
                reading.fault = fault_of(topic, record, error)
                break
            reading.records.append(record)
            count += 1
            size += len(record.value or b"")
            if clocks.elapsed() - began >= TURN_S:
                break
        if reading.fault is None:
            backlog.remove(topic, count, size)
        else:
            backlog.drop(topic)
        cost_s = clocks.processor() - processor_began + RECORD_COST_S * count + BYTE_COST_S * size
        turns.charge(topic, cost_s)
        self.records_count += count
        self.costs_s[topic] = self.costs_s.get(topic, 0.0) + cost_s
        return max(0.0, clocks.elapsed() - began - TURN_S)

    def take(self, backlog: Backlog) -> list[Reading]:
        """Remove what is committed now, and return it.

        While batches are small, topics that have no more waiting records go ahead of those with a backlog: their
        commit alone is short. The commit after it takes all, so that a backlog waits for one at most.
        """
        ahead = [topic for topic in self.readings if topic not in backlog.topics]
        takes_all = self._left_some or not ahead or self.cost_max_s > SMALL_BATCH_COST_S
        topics = [*self.readings] if takes_all else ahead
        self._left_some = len(topics) < len(self.readings)
        taken = [self.readings[topic] for topic in topics]
        for topic in topics:
            self.drop(topic)
        return taken

    def drop(self, topic: str) -> None:
        """Remove the records of a topic, which are read again later."""
        reading = self.readings.pop(topic, None)
        if reading is not None:
            self.records_count -= len(reading.records)
            self.costs_s.pop(topic, None)


def verdict_on(record: Record, agency: Agency) -> Accepted | Refused:
    """Validation's verdict; but the registrar alone refuses: no refusal comes from a topic, also not the platform's."""
    verdict = validate(record.value, record.headers, agency)
    if isinstance(verdict, Refused) or verdict.type != REFUSED:
        return verdict
    sentence = "{role} may not send {type}; only {sender} may."
    fault = finding("not-authorised", "/type", sentence, role="The platform", type=REFUSED, sender="the registrar")
    return refused(verdict.event, [fault], agency, may_keep=True)
