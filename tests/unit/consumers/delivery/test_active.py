"""What the sender has in hand: which endpoint may have a request, and when it has nothing more to send."""

from __future__ import annotations

from dataclasses import replace

from consumers.delivery.routing.router import Allowance
from consumers.delivery.webhooks.active import IN_HAND_MAX, READY_MAX, in_hand_each
from consumers.delivery.webhooks.schedule import RESTS_AFTER, Outcome
from tests.unit.consumers.delivery.endpoints import MESSAGE, active

FAILED = Outcome(500, None, 3)


def test_an_id_has_no_dot_and_is_the_same_for_a_replay_which_a_header_tells() -> None:
    assert MESSAGE.webhook_id == "quota-met_i5_gregorian-2026-usage_triggered_i1043"
    assert replace(MESSAGE, message_id=2, replay=True, attempts=3).webhook_id == MESSAGE.webhook_id
    example = replace(MESSAGE, kind="example", event_id="example.abc", log_index=None, campaign_id=None)
    assert example.webhook_id == "example_abc"
    assert MESSAGE.marks(late=False) == {}
    assert replace(MESSAGE, replay=True).marks(late=True) == {"yesser-replay": "true", "yesser-late": "true"}
    assert example.marks(late=False) == {"yesser-example": "true"}


def test_an_endpoint_has_as_many_requests_as_it_may_and_none_while_it_is_disabled() -> None:
    assert active(ready=1, in_flight=3).may_start(4, now=0)
    assert not active(ready=1, in_flight=4).may_start(4, now=0)
    assert not active(in_flight=0).may_start(4, now=0)
    found = active(ready=1)
    found.disabled_reason = "gone"
    assert not found.may_start(4, now=0)
    assert found.has_ended(now=0)
    found.in_flight.add(7)
    assert not found.has_ended(now=0)


def test_an_endpoint_that_fails_again_and_again_rests_and_then_gets_one_at_a_time() -> None:
    found = active(ready=2)
    for _ in range(RESTS_AFTER):
        assert not found.is_resting(now=10)
        found.health.note(FAILED, now=10)
    assert found.has_ended(now=10)
    assert not found.may_start(4, now=10)
    assert found.may_start(4, now=15)
    found.in_flight.add(7)
    assert not found.may_start(4, now=15)
    found.health.note(Outcome(200, None, 3), now=15)
    assert found.may_start(4, now=15)


def test_an_endpoint_has_ended_only_when_everything_that_was_due_was_read_and_sent() -> None:
    found = active()
    assert not found.has_ended(now=0)
    found.is_read = True
    assert found.has_ended(now=0)
    assert not replace(active(ready=1), is_read=True).has_ended(now=0)
    assert not replace(active(in_flight=1), is_read=True).has_ended(now=0)


def test_what_is_in_hand_is_bounded_for_each_endpoint_and_in_all() -> None:
    assert in_hand_each(1) == READY_MAX
    for endpoints in (10, 100, 1_000, 4_000):
        assert endpoints * in_hand_each(endpoints) <= max(IN_HAND_MAX, endpoints)
    assert in_hand_each(100_000) == 1


def test_a_backfill_is_allowed_so_many_a_second_and_no_more_after_a_pause() -> None:
    now = 0.0
    allowed = Allowance(10, lambda: now)
    assert allowed.left() == 10
    allowed.use(10)
    now = 0.55
    assert allowed.left() == 5
    now = 3_600
    assert allowed.left() == 10
