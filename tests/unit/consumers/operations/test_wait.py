"""When everything is at rest, and what is named while it is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from consumers.operations.wait import PipelineStatus
from consumers.operations.wait_command import STOPPED_MAX_S, CannotBeReached, Stops

AT_REST = PipelineStatus(
    size=10,
    shipped_up_to=10,
    outbox_count=0,
    triggers_count=0,
    positions={"projections": 10, "revenue": 10},
    next_offsets={"agency.a.events": 5},
)


def test_at_rest_nothing_is_pending() -> None:
    assert AT_REST.pending() == []
    assert AT_REST.unread({"agency.a.events": 5}) == []


def test_each_thing_on_its_way_is_named() -> None:
    assert "revenue has 3 entries" in replace(AT_REST, positions={"revenue": 7}).pending()[0]
    assert "outbox" in replace(AT_REST, outbox_count=1).pending()[0]
    assert "triggers" in replace(AT_REST, triggers_count=1).pending()[0]
    assert "shipped" in replace(AT_REST, shipped_up_to=9).pending()[0]
    assert AT_REST.unread({"agency.a.events": 7}) == ["2 records of agency.a.events are not read yet"]
    paused = replace(AT_REST, paused_until={"agency.a.events": datetime(2026, 11, 25, 8, tzinfo=UTC)})
    assert "paused until 08:00:00 UTC" in paused.unread({"agency.a.events": 7})[0]


def test_an_entry_is_applied_when_every_position_is_beyond_it() -> None:
    behind = replace(AT_REST, positions={"projections": 10, "revenue": 4})
    assert behind.applied(3)
    assert not behind.applied(4)


def test_nothing_is_at_rest_while_the_log_is_not_signed_or_a_process_is_halted() -> None:
    assert (
        replace(AT_REST, unsigned="the entries from 9 on are not signed").pending()[0].startswith("the entries from 9")
    )
    assert replace(AT_REST, stopped=["registrar halted: no place"]).pending() == ["registrar halted: no place"]


def test_a_process_that_stays_halted_ends_the_wait_and_one_that_goes_on_does_not() -> None:
    stops, stopped = Stops(), replace(AT_REST, stopped=["registrar halted: no place"])
    stops.look(stopped, 0.0)
    stops.look(stopped, STOPPED_MAX_S)
    stops.look(AT_REST, STOPPED_MAX_S + 1)
    stops.look(stopped, STOPPED_MAX_S + 2)
    with pytest.raises(CannotBeReached, match="registrar halted: no place"):
        stops.look(stopped, 2 * STOPPED_MAX_S + 3)


def test_a_halted_consumer_or_topic_ends_the_wait_at_once() -> None:
    with pytest.raises(CannotBeReached, match="its tail was lost"):
        Stops().look(replace(AT_REST, halted=["agency.a.events halted: its tail was lost"]), 0.0)
