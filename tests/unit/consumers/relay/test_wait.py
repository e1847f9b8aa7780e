"""When everything is at rest, and what is named while it is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from consumers.relay.wait_command import STOPPED_MAX_S, CannotBeReached, PipelineStatus, Standstill

AT_REST = PipelineStatus(
    size=10,
    signed_up_to=10,
    shipped_up_to=10,
    outbox_count=0,
    triggers_count=0,
    positions={"projections": 10, "revenue": 10},
    next_offsets={"agency.a.events": 5},
)


def test_each_thing_on_its_way_is_named() -> None:
    assert AT_REST.pending() == []
    assert AT_REST.unread({"agency.a.events": 5}) == []
    assert "revenue has 3 entries" in replace(AT_REST, positions={"revenue": 7}).pending()[0]
    assert "outbox" in replace(AT_REST, outbox_count=1).pending()[0]
    assert "triggers" in replace(AT_REST, triggers_count=1).pending()[0]
    assert "shipped" in replace(AT_REST, shipped_up_to=9).pending()[0]
    assert AT_REST.not_signed() == []
    assert replace(AT_REST, signed_up_to=9).not_signed() == ["the entries from 9 on are not signed yet"]
    assert AT_REST.unread({"agency.a.events": 7}) == ["2 records of agency.a.events are not read yet"]
    paused = replace(AT_REST, paused_until={"agency.a.events": datetime(2026, 11, 25, 8, tzinfo=UTC)})
    assert "paused until 08:00:00 UTC" in paused.unread({"agency.a.events": 7})[0]
    behind = replace(AT_REST, positions={"projections": 10, "revenue": 4})
    assert (behind.applied(3), behind.applied(4)) == (True, False), "every position is beyond it"


def test_a_halted_process_stands_at_once_and_a_log_that_is_not_signed_once_nothing_else_is_pending() -> None:
    status = replace(AT_REST, stopped=["registrar halted: no place"], unsigned="the entries from 9 on are not signed")
    assert status.standing([]) == ["registrar halted: no place", "the entries from 9 on are not signed"]
    assert status.standing(["Kafka does not answer"]) == ["registrar halted: no place"]
    assert AT_REST.standing([]) == []


def test_what_stands_for_long_ends_the_wait_and_what_goes_on_does_not() -> None:
    standstill, reasons = Standstill(), ["registrar halted: no place"]
    standstill.look(reasons, 0.0)
    standstill.look(reasons, STOPPED_MAX_S)
    standstill.look([], STOPPED_MAX_S + 1)
    standstill.look(reasons, STOPPED_MAX_S + 2)
    with pytest.raises(CannotBeReached, match="registrar halted: no place"):
        standstill.look(reasons, 2 * STOPPED_MAX_S + 3)
