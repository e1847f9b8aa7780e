"""A bug that numbering meets at one record halts its topic there; what is before it, and the other topics, go on."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest

from consumers.registrar import batch as numbering
from events.validation.refusal import refusal_event
from tests.world.records import HEALTH, LABOUR, number_all, read, said, topic_of, values, verdicts

HEALTH_TOPIC, LABOUR_TOPIC = topic_of(HEALTH), topic_of(LABOUR)


def test_a_record_that_cannot_be_refused_halts_its_topic_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def with_a_bug(**given: Any) -> Any:
        if given["value"] == b"bad":
            raise ValueError(given["value"])
        return refusal_event(**given)

    monkeypatch.setattr(numbering, "refusal_event", with_a_bug)
    health = read(HEALTH, values(said("a"), b"refused", b"bad", said("d"), first=7))
    labour = read(LABOUR, values(said("e", agency=LABOUR)))
    batch = number_all([health, labour], {})
    assert verdicts([batch]) == {
        (HEALTH_TOPIC, 7): ("entry", 0),
        (HEALTH_TOPIC, 8): ("entry", 1),
        (LABOUR_TOPIC, 0): ("entry", 2),
    }
    assert (len(batch.entries), len(batch.subjects), len(batch.claims), len(batch.refusals)) == (3, 3, 2, 1)
    assert [offset for offset, _ in batch.positions.values()] == [9, 1]
    assert batch.halts == {HEALTH_TOPIC: health.fault}
    bug = f"the record at {HEALTH_TOPIC}/0/9 meets a bug of this release (ValueError at {__name__}:"
    assert bug in str(health.fault)


def test_the_first_record_of_a_reading_may_meet_it(monkeypatch: pytest.MonkeyPatch) -> None:
    readings = [read(HEALTH, values(said("a"), said("b"), first=7))]
    monkeypatch.setattr(numbering, "entry_bytes", Mock(side_effect=KeyError("name")))
    known: Any = {}
    batch = number_all(readings, known)
    assert (batch.entries, batch.claims, batch.positions, known) == ([], [], {}, {})
    assert "/0/7 " in str(batch.halts[HEALTH_TOPIC])


def test_a_last_record_whose_headers_meet_it_is_registered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    readings = [read(HEALTH, values(said("a"), first=7))]
    monkeypatch.setattr(numbering, "headers_hold_personal_data", Mock(side_effect=KeyError("name")))
    batch = number_all(readings, {})
    assert len(batch.entries) == 1
    assert batch.positions[HEALTH_TOPIC] == (8, numbering.Mark(None, 0))
    assert batch.halts.keys() == {HEALTH_TOPIC}
