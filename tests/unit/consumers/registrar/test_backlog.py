"""Agencies take turns by what their records cost, and a batch ends after a cost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.registrar import backlog
from consumers.registrar.backlog import (
    BATCH_COST_S,
    LATECOMERS_COST_S,
    RECORD_COST_S,
    SMALL_BATCH_COST_S,
    SMALL_FOR_S,
    TURN_S,
    Backlog,
    BatchSize,
    Clocks,
    NextBatch,
    Turns,
    verdict_on,
)
from events.validation.refusal import refusal_event
from events.validation.validate import validate
from events.validation.verdicts import Accepted, Refused
from tests.world.processes import Clock
from tests.world.records import HEALTH, LABOUR, PLATFORM, USUAL, Record, registered, said, topic_of, values

HEALTH_TOPIC, LABOUR_TOPIC = topic_of(HEALTH), topic_of(LABOUR)
AGENCIES = {HEALTH_TOPIC: HEALTH, LABOUR_TOPIC: LABOUR}
COSTS = st.floats(0.001, 10.0)


def waiting(**records: Sequence[Record]) -> Backlog:
    """A backlog with room for anything, and these records of the topics `health` and `labour`."""
    found = Backlog(1 << 30, 1 << 30, 0)
    found.add({f"agency.{code}.events": part for code, part in records.items()})
    return found


@dataclass
class Costs:
    """What validating a record costs, by its value; the clock moves on by it."""

    clock: Clock[float] = field(default_factory=lambda: Clock(0.0))
    turns: Turns = field(default_factory=Turns)
    of: dict[bytes, float] = field(default_factory=lambda: defaultdict(lambda: 25e-6))

    def validate(self, value: bytes, *_: object) -> Refused:
        self.clock.now += self.of[value]
        return Refused(())

    def take_turn(self, batch: NextBatch, records: Backlog, topic: str = "") -> float:
        """The given topic takes a turn, or the one whose turn it is."""
        topic = topic or self.turns.next(records.topics)
        return batch.take_turn(topic, records, self.turns, AGENCIES, Clocks(self.clock, self.clock))

    def fill(self, batch: NextBatch, records: Backlog) -> NextBatch:
        while records.topics and not batch.is_full:
            self.take_turn(batch, records)
        return batch


@pytest.fixture
def costs(monkeypatch: pytest.MonkeyPatch) -> Costs:
    """Validation with a price instead of a verdict."""
    found = Costs()
    monkeypatch.setattr(backlog, "validate", found.validate)
    return found


@given(st.lists(st.lists(COSTS, min_size=1, max_size=20), min_size=2, max_size=5), st.data())
def test_topics_that_always_wait_use_the_same_but_for_a_turn(turns_of: list[list[float]], data: st.DataObject) -> None:
    turns, used = Turns(), [0.0] * len(turns_of)
    names = {f"t{i}": i for i in range(len(turns_of))}
    for _ in range(data.draw(st.integers(1, 60))):
        topic = turns.next(names)
        cost = turns_of[names[topic]][int(used[names[topic]]) % len(turns_of[names[topic]])]
        turns.charge(topic, cost)
        used[names[topic]] += cost
        for i, a in enumerate(used):
            for j, b in enumerate(used):
                assert abs(a - b) <= max(turns_of[i]) + max(turns_of[j]) + 1e-6


@given(st.lists(COSTS, min_size=1, max_size=50), st.integers(1, 4))
def test_an_idle_topic_takes_its_turn_before_anothers_second_one(costs_of_turns: list[float], others: int) -> None:
    turns, busy = Turns(), [f"busy{i}" for i in range(others)]
    for cost in costs_of_turns:
        turns.charge(turns.next(busy), cost)
    taken: list[str] = []
    while "idle" not in taken:
        taken.append(turns.next([*busy, "idle"]))
        turns.charge(taken[-1], 0.001)
    assert len({*taken}) == len(taken)


@given(st.lists(COSTS, min_size=1, max_size=50))
def test_a_topic_saves_up_nothing_while_it_is_idle(costs_of_turns: list[float]) -> None:
    turns = Turns()
    for cost in costs_of_turns:
        turns.charge(turns.next(["busy"]), cost)
    turns.charge(turns.next(["busy", "idle"]), 20.0)
    assert turns.next(["busy", "idle"]) == "busy", "one turn, and not one for each that it missed"


def test_a_flood_takes_half_of_each_batch_when_another_topic_waits(costs: Costs) -> None:
    """Fails where topics are read one after the other: the flood's records are before all of the other's."""
    records = waiting(health=values(*[b"flood"] * 20_000), labour=values(*[b"other"] * 2_000))
    batches = 0
    while LABOUR_TOPIC in records.topics:
        batch = costs.fill(NextBatch(4096), records)
        batches += 1
        flood, other = (len(batch.readings[topic].records) for topic in (HEALTH_TOPIC, LABOUR_TOPIC))
        assert abs(flood - other) <= 2 * TURN_S / 25e-6 or LABOUR_TOPIC not in records.topics
    assert batches <= 5
    assert len(records) > 17_000


def test_costly_records_of_one_topic_leave_the_other_its_time(costs: Costs) -> None:
    costs.of[b"costly"] = 0.02
    batch = NextBatch(4096)
    assert costs.take_turn(batch, waiting(health=values(b"costly", b"costly"))) == pytest.approx(0.019)
    assert costs.take_turn(batch, waiting(health=values(b"cheap"))) == 0.0, "what a record costs beyond a turn"
    records = waiting(health=values(*[b"costly"] * 200), labour=values(*[b"other"] * 2_000))
    costly = 0
    while LABOUR_TOPIC in records.topics:
        batch = costs.fill(NextBatch(4096), records)
        costly += len(batch.readings[HEALTH_TOPIC].records)
    assert costly * 0.02 <= 2_000 * (25e-6 + RECORD_COST_S) + 0.05


@given(st.lists(st.sampled_from([1e-5, 1e-3, 0.2]), min_size=1, max_size=300))
def test_a_batch_ends_once_it_has_cost_enough_and_every_record_is_in_one(prices: list[float]) -> None:
    costs = Costs(of={b"%d" % i: price for i, price in enumerate(prices)})
    records, found = waiting(health=values(*costs.of)), []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(backlog, "validate", costs.validate)
        while records.topics:
            batch = costs.fill(NextBatch(4096), records)
            (reading,) = batch.readings.values()
            found += reading.records
            assert len(reading.records) == len(reading.verdicts) == batch.records_count
            without_last = batch.cost_s - prices[reading.records[-1].offset]
            assert without_last <= BATCH_COST_S + TURN_S + 0.01
    assert [record.offset for record in found] == [*range(len(prices))]


def test_a_batch_is_due_when_it_is_full_or_has_the_last_waiting_record_of_a_topic(costs: Costs) -> None:
    records = waiting(health=values(*[b"flood"] * 5_000))
    batch = NextBatch(4096)
    assert not batch.is_due(records), "it is empty"
    while not batch.is_full:
        assert not batch.is_due(records), "a backlog gains by a larger batch"
        costs.take_turn(batch, records)
    assert batch.is_due(records)
    batch = NextBatch(4096)
    costs.take_turn(batch, records)
    records.add({LABOUR_TOPIC: values(b"one")})
    costs.take_turn(batch, records)
    assert LABOUR_TOPIC in batch.readings
    assert not batch.is_full
    assert batch.is_due(records), "one event of another agency waits for nothing but the commit"


def test_a_batch_has_at_most_the_records_of_its_limit_and_can_drop_a_topic(costs: Costs) -> None:
    costs.of[b"free"] = 0.0
    records = waiting(health=values(*[b"free"] * 1_000))
    batch = costs.fill(NextBatch(300), records)
    assert (batch.records_count, len(records)) == (300, 700)
    records = waiting(health=values(said("a")), labour=values(said("b", agency=LABOUR)))
    batch = costs.fill(NextBatch(300), records)
    batch.drop(HEALTH_TOPIC)
    assert ([*batch.readings], batch.records_count) == ([LABOUR_TOPIC], 1)
    batch.drop(LABOUR_TOPIC)
    assert not batch.is_full
    assert batch.cost_s == 0.0


def test_a_topic_is_full_at_its_own_limit_or_at_its_share_of_the_memory() -> None:
    found = Backlog(bytes_max=1_000, topic_bytes_max=400, record_bytes=100)
    arriving = {"a": values(b"x" * 200, b"x")}
    assert found.full() == set()
    assert found.full(arriving) == {"a"}, "401 bytes"
    found.add(arriving)
    assert found.full() == {"a"}
    found.add({topic: values(b"x" * 50) for topic in "bcdefg"})
    assert found.full() == {"a", *"bcdefg"}, "150 of 1,000 for seven"
    found.remove("a", 1, 200)
    assert "a" not in found.full(), "101 of 142 bytes"
    found.drop("b")
    assert "b" not in found.topics
    assert len(found) == 6


def test_batches_are_small_while_a_topic_that_sends_has_no_backlog() -> None:
    size = BatchSize()
    assert size.cost_max_s({HEALTH_TOPIC}, 0.0) == BATCH_COST_S, "no other topic sends"
    assert size.cost_max_s({HEALTH_TOPIC, LABOUR_TOPIC}, 1.0) == BATCH_COST_S, "both have a backlog"
    assert size.cost_max_s({HEALTH_TOPIC}, 1.0) == SMALL_BATCH_COST_S
    assert size.cost_max_s({HEALTH_TOPIC}, 1.0 + SMALL_FOR_S - 0.1) == SMALL_BATCH_COST_S
    assert size.cost_max_s({HEALTH_TOPIC}, 1.0 + SMALL_FOR_S) == BATCH_COST_S, "it has sent nothing for a while"


def test_a_full_batch_takes_the_first_records_of_another_topic_and_no_more_of_its_own(costs: Costs) -> None:
    batch = NextBatch(4096, SMALL_BATCH_COST_S)
    records = waiting(health=values(*[b"flood"] * 5_000))
    while batch.has_room(HEALTH_TOPIC):
        costs.take_turn(batch, records, HEALTH_TOPIC)
    assert batch.is_full
    records.add({LABOUR_TOPIC: values(*[b"other"] * 5_000)})
    assert costs.turns.next(records.topics) == LABOUR_TOPIC
    assert batch.has_room(LABOUR_TOPIC)
    costs.take_turn(batch, records, LABOUR_TOPIC)
    assert not batch.has_room(LABOUR_TOPIC)
    assert batch.cost_s < SMALL_BATCH_COST_S + 2 * (TURN_S + 40 * RECORD_COST_S)
    costs.of[b"costly"] = SMALL_BATCH_COST_S + LATECOMERS_COST_S
    for contents, why in (([b"costly"], "it has cost too much"), ([b"one", b"two"], "it has as many as it may")):
        batch = NextBatch(2, SMALL_BATCH_COST_S)
        costs.take_turn(batch, waiting(health=values(*contents)), HEALTH_TOPIC)
        assert not batch.has_room(LABOUR_TOPIC), why


def test_topics_without_a_backlog_are_committed_ahead_of_one_with_a_backlog_every_second_time(costs: Costs) -> None:
    batch = NextBatch(4096, SMALL_BATCH_COST_S)
    records = waiting(health=values(*[b"flood"] * 5_000), labour=values(b"one"))

    def validate_both() -> None:
        for topic in (HEALTH_TOPIC, LABOUR_TOPIC):
            costs.take_turn(batch, records, topic)

    validate_both()
    of_health = len(batch.readings[HEALTH_TOPIC].records)
    (ahead,) = batch.take(records)
    assert (ahead.topic, len(ahead.records)) == (LABOUR_TOPIC, 1)
    assert (batch.records_count, [*batch.costs_s]) == (of_health, [HEALTH_TOPIC])
    records.add({LABOUR_TOPIC: values(b"two")})
    validate_both()
    assert [reading.topic for reading in batch.take(records)] == [HEALTH_TOPIC, LABOUR_TOPIC]
    assert (batch.records_count, batch.readings, batch.cost_s) == (0, {}, 0.0)
    records.add({LABOUR_TOPIC: values(b"three")})
    validate_both()
    assert [reading.topic for reading in batch.take(records)] == [LABOUR_TOPIC]

    batch = NextBatch(4096)
    records.add({LABOUR_TOPIC: values(b"four")})
    validate_both()
    assert [reading.topic for reading in batch.take(records)] == [HEALTH_TOPIC, LABOUR_TOPIC], "a large batch is whole"


def test_a_bug_that_one_record_meets_ends_the_reading_of_its_topic_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def with_a_bug(value: bytes, *rest: Any) -> Any:
        if value == b"1000000001":
            raise ZeroDivisionError(value)
        return validate(value, *rest)

    monkeypatch.setattr(backlog, "validate", with_a_bug)
    records = waiting(health=values(said("a"), b"1000000001", said("c")), labour=values(said("d")))
    batch = NextBatch(records_max=100)
    for topic in (HEALTH_TOPIC, LABOUR_TOPIC):
        Costs().take_turn(batch, records, topic)
    assert batch.has_fault
    assert not records.topics, "what is behind it is read again"
    health, labour = batch.take(records)
    assert [record.offset for record in health.records] == [0]
    assert health.fault is not None
    assert health.fault.startswith("the record at agency.health.events/0/1 meets a bug")
    assert f"(ZeroDivisionError at {__name__}:" in health.fault
    assert "1000000001" not in health.fault
    assert (len(labour.records), labour.fault) == (1, None)
    monkeypatch.setattr(backlog, "validate", Mock(side_effect=MemoryError))
    with pytest.raises(MemoryError):  # a lack of memory is no bug
        Costs().take_turn(NextBatch(records_max=100), waiting(health=values(b"x")))


def test_a_refusal_that_comes_through_the_platforms_own_topic_is_refused() -> None:
    noise = validate(b"noise", USUAL, HEALTH)
    assert isinstance(noise, Refused)
    forged, _, _ = refusal_event(
        topic=HEALTH_TOPIC, partition=0, offset=5, value=b"noise", refused=noise, time="2026-11-25T08:00:00.000000Z"
    )
    assert isinstance(validate(forged, USUAL, PLATFORM), Accepted), "it is well-formed"
    verdict = verdict_on(Record(0, forged), PLATFORM)
    assert isinstance(verdict, Refused)
    (fault,) = verdict.faults
    assert (fault.code, fault.pointer) == ("not-authorised", "/type")
    assert fault.detail == "The platform may not send registrar.refused; only the registrar may."
    assert isinstance(verdict_on(Record(1, registered("labour")), PLATFORM), Accepted)
