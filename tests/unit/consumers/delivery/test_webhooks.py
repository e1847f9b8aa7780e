"""Webhooks without a receiver: where they may go, what the sender has in hand, and what follows an attempt."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import orjson
import pytest
from structlog.testing import capture_logs

from consumers.delivery.routing.router import Allowance
from consumers.delivery.sending.route import Message, NextStep, Outcome
from consumers.delivery.sending.sender import IN_HAND_MAX, REST_MAX_S, Destination, in_hand_each
from consumers.delivery.webhooks.addresses import AddressRefused, Destinations, destinations, is_public, require_url
from consumers.delivery.webhooks.client import retry_after_s
from consumers.delivery.webhooks.route import (
    JITTER,
    READY_MAX,
    RESTS_AFTER,
    RETRY_AFTER_MAX_S,
    Webhooks,
    disable_reason,
    example_event,
    is_late,
    marks,
    policy,
    verdict,
    wait_max,
    webhook_id,
)
from events.validation.validate import validate_form
from events.validation.verdicts import Admitted, Agency
from events.wire.codec import STRUCTURED_HEADERS
from infra.settings import Settings
from tests.every import every

POLICY = policy(Settings())
NOW = datetime(2026, 11, 1, 8, tzinfo=UTC)
ENTRY = ("triggered", "i1043", 1043, "quota-met.i5.gregorian-2026-usage")
MESSAGE = Message(1, "e1", "health", "press", "e1", *ENTRY, replay=False, attempts=0, created_at=NOW)
LIMITS = Webhooks(Settings(), MagicMock()).limits


def destination(*, ready: int = 0, in_flight: int = 0, **more: Any) -> Destination:
    found = Destination("e1", **more)
    found.ready.extend((replace(MESSAGE, message_id=number), b"{}") for number in range(ready))
    found.in_flight.update(range(100, 100 + in_flight))
    return found


def answer(status: int | None, retry_after: float | None = None) -> Outcome:
    return Outcome(status, None if status else "timeout", 12, b"", retry_after)


INSIDE = [
    *("0.0.0.0", "10.1.2.3", "127.0.0.1", "127.9.9.9", "172.16.0.1", "192.168.1.1", "localhost", ""),
    *("100.100.100.200", "169.254.169.254", "192.0.0.192", "fd00:ec2::254"),  # metadata of clouds
    *("100.64.0.1", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.51.100.1", "203.0.113.1"),
    *("224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8"),
    *("64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1", "2002:7f00:1::", "2002:808:808::1"),
    *("100::1", "2001::1", "2001:db8::1", "3fff::1", "fc00::1", "fec0::1", "ff02::1"),
    *("fe80::1", "fe80::1%eth0", "2a00:1450::1%eth0"),
]
OUTSIDE = ["8.8.8.8", "93.184.216.34", "1.1.1.1", "2a00:1450:4001::1", "2606:4700::1111"]
NAMED = destinations(Settings(webhook_ports="8443,9443", webhook_hosts="inside.example, 127.0.0.1"))


def test_an_address_inside_a_network_is_no_host_on_the_internet() -> None:
    assert [address for address in INSIDE + OUTSIDE if is_public(address)] == OUTSIDE


@every(
    "url, host",
    [
        ("https://hooks.example/a?b=c", "hooks.example"),
        ("https://hooks.example:443/", "hooks.example"),
        ("https://hooks.example:8443/", "hooks.example"),
        ("http://inside.example:8080/", "inside.example"),
        ("http://127.0.0.1:9/", "127.0.0.1"),
    ],
)
def test_a_webhook_goes_over_https_at_allowed_ports_or_to_a_host_that_is_named(url: str, host: str) -> None:
    assert require_url(url, NAMED) == host


@every(
    "url, allowed",
    [
        *((f"{scheme}://hooks.example/a", Destinations()) for scheme in ("http", "ftp")),
        *(
            (url, Destinations())
            for url in ("//hooks.example/a", "file:///etc/passwd", "", "https:///a", "https://[::1/")
        ),
        *((f"https://hooks.example:{port}/", Destinations()) for port in (8443, 99999)),
        *((f"https://{user}@hooks.example/a", Destinations()) for user in ("user", "user:word")),
        ("http://a.inside.example/", NAMED),
        ("http://u@inside.example/", NAMED),
        ("ftp://inside.example/", NAMED),
        ("http://127.0.0.2/", NAMED),
    ],
)
def test_a_url_that_webhooks_may_not_go_to_is_refused(url: str, allowed: Destinations) -> None:
    with pytest.raises(AddressRefused):
        require_url(url, allowed)


def test_an_id_has_no_dot_and_is_the_same_for_a_replay_which_a_header_tells() -> None:
    assert webhook_id(MESSAGE) == "quota-met_i5_gregorian-2026-usage_triggered_i1043"
    assert webhook_id(replace(MESSAGE, message_id=2, replay=True, attempts=3)) == webhook_id(MESSAGE)
    example = replace(MESSAGE, kind="example", event_id="example.abc", log_index=None, campaign_id=None)
    assert webhook_id(example) == "example_abc"
    assert marks(MESSAGE, late=False) == {}
    assert marks(replace(MESSAGE, replay=True), late=True) == {"yesser-replay": "true", "yesser-late": "true"}
    assert marks(example, late=False) == {"yesser-example": "true"}


def test_an_example_is_a_valid_event_under_an_id_of_its_own() -> None:
    raw = example_event("example.abcdefghij")
    event = orjson.loads(raw)
    assert event["id"] == event["data"]["campaign_id"] == "example.abcdefghij"
    assert event["type"] == "sa.gov.yesser.campaign.triggered.v1"
    found = validate_form(raw, list(STRUCTURED_HEADERS), Agency("platform", "platform"))
    assert isinstance(found, Admitted), found


def test_an_endpoint_has_as_many_requests_as_it_may_and_none_while_it_is_disabled() -> None:
    assert destination(ready=1, in_flight=3).may_start(LIMITS, 3, NOW)
    assert not destination(ready=1, in_flight=4).may_start(LIMITS, 4, NOW)
    assert not destination().may_start(LIMITS, 0, NOW)
    assert destination(ready=1, in_flight=1).may_start(LIMITS, LIMITS.in_flight_max // 2, NOW)
    assert not destination(ready=1, in_flight=1).may_start(LIMITS, LIMITS.in_flight_max // 2 + 1, NOW), "some may hang"
    assert not destination(ready=1).may_start(LIMITS, LIMITS.in_flight_max, NOW)
    closed = destination(ready=1, is_open=False)
    assert not closed.may_start(LIMITS, 0, NOW)
    assert closed.has_ended(NOW)
    closed.in_flight.add(7)
    assert not closed.has_ended(NOW)


def test_an_endpoint_that_fails_again_and_again_rests_ever_longer_and_then_gets_one_at_a_time() -> None:
    found = destination(ready=2)
    for _ in range(RESTS_AFTER):
        assert not found.is_resting(NOW)
        found.note(LIMITS, NOW, is_failing=True)
    assert found.has_ended(NOW)
    later = NOW + timedelta(seconds=5)
    assert not found.may_start(LIMITS, 0, later - timedelta(microseconds=1))
    assert found.may_start(LIMITS, 0, later)
    found.in_flight.add(7)
    assert not found.may_start(LIMITS, 1, later)
    found.note(LIMITS, later, is_failing=False)
    assert found.may_start(LIMITS, 1, later)
    found.failures, rests = RESTS_AFTER - 2, []
    for _ in range(1_000):
        found.note(LIMITS, NOW, is_failing=True)
        rests.append(0.0 if found.rests_until is None else (found.rests_until - NOW).total_seconds())
    assert rests[:4] == [0, 5, 10, 20]
    assert rests == sorted(rests)
    assert rests[-1] == REST_MAX_S


def test_an_endpoint_has_ended_only_when_everything_that_was_due_was_read_and_sent() -> None:
    assert not destination().has_ended(NOW)
    read = [destination(is_read=True, **more) for more in ({}, {"ready": 1}, {"in_flight": 1})]
    assert [found.has_ended(NOW) for found in read] == [True, False, False]


def test_what_is_in_hand_is_bounded_for_each_endpoint_and_in_all() -> None:
    assert in_hand_each(LIMITS, 1) == READY_MAX
    for endpoints in (10, 100, 1_000, 4_000):
        assert endpoints * in_hand_each(LIMITS, endpoints) <= max(IN_HAND_MAX, endpoints)
    assert in_hand_each(LIMITS, 100_000) == 1
    assert [destination(ready=ready).wants(5) for ready in (0, 3, 9)] == [5, 2, 0]
    assert destination(ready=1, in_flight=2).wants(5) == 2
    assert destination(is_read=True).wants(5) == 0


def test_a_backfill_is_allowed_so_many_a_second_and_no_more_after_a_pause() -> None:
    now = 0.0
    allowed = Allowance(10, lambda: now)
    assert allowed.left() == 10
    allowed.use(10)
    now = 0.55
    assert allowed.left() == 5
    now = 3_600
    assert allowed.left() == 10


def test_2xx_is_delivered_and_everything_else_is_attempted_again() -> None:
    for status in (200, 201, 204, 299):
        assert verdict(1, answer(status), POLICY, 0.5) == NextStep("delivered"), status
    for other in (None, 199, 300, 301, 302, 308, 400, 404, 410, 429, 500, 503):
        assert verdict(1, answer(other), POLICY, 0.0) == NextStep("waiting", 5.0), other


def test_attempts_go_on_for_five_days_and_then_the_message_fails() -> None:
    found = [verdict(attempt, answer(500), POLICY, 0.0) for attempt in range(1, 13)]
    assert [row.state for row in found] == ["waiting"] * 11 + ["failed"]
    waits = [row.wait_s for row in found[:-1]]
    assert waits[:4] == [5, 300, 1800, 7200]
    assert timedelta(days=5) <= timedelta(seconds=sum(waits)) < timedelta(days=5.5)
    by_chance = {verdict(2, answer(500), POLICY, chance / 10).wait_s for chance in range(10)}
    assert len(by_chance) == 10
    assert min(by_chance) == 300
    assert max(by_chance) < 300 * (1 + JITTER), "longer by up to a fifth"


def test_the_wait_that_the_receiver_asks_for_counts_where_it_is_longer_up_to_a_day() -> None:
    assert verdict(1, answer(429, 120), POLICY, 0.0).wait_s == 120
    assert verdict(2, answer(429, 120), POLICY, 0.0).wait_s == 300
    assert verdict(1, answer(503, 1e12), POLICY, 0.0).wait_s == RETRY_AFTER_MAX_S
    assert max(verdict(n, answer(503, 1e12), POLICY, 0.999).wait_s for n in range(1, 12)) < wait_max(POLICY)


@every(
    "text, seconds",
    [
        (None, None),
        ("120", 120),
        ("Sun, 01 Nov 2026 08:02:00 GMT", 120),
        ("Sun, 01 Nov 2026 07:00:00 GMT", 0),
        ("9" * 400, 999_999_999),
        *((text, None) for text in ("soon", "-5", "٥", "Sun, 99 Nov 2026 08:02:00 GMT")),
        *((f"Thu, {date} GMT", None) for date in ("01 Jan 99999999999 00:00:00", "99999999999 Jan 2026 00:00:00")),
        ("Thu, 01 Jan 2026 99999999999:00:00 GMT", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(text: str | None, seconds: float | None) -> None:
    assert retry_after_s(text, NOW) == seconds


def test_410_disables_at_once_and_a_failure_after_five_days_of_them() -> None:
    assert disable_reason(answer(410), None, NOW, POLICY) == "gone"
    assert disable_reason(answer(500), NOW - timedelta(days=4.9), NOW, POLICY) is None
    assert disable_reason(answer(500), NOW - timedelta(days=5), NOW, POLICY) == "failing"
    assert disable_reason(answer(200), NOW - timedelta(days=9), NOW, POLICY) is None
    assert disable_reason(answer(None), None, NOW, POLICY) is None


def test_a_message_is_late_once_later_ones_may_overtake_it() -> None:
    assert not is_late(NOW, NOW + POLICY.lane_wait, POLICY)
    assert is_late(NOW, NOW + POLICY.lane_wait + timedelta(seconds=1), POLICY)


async def test_a_bug_in_one_attempt_fails_that_attempt_and_the_next_is_made(tmp_path: Path) -> None:
    """No endpoint was read: what `attempt` needs is missing."""
    route = Webhooks(Settings(home=tmp_path), MagicMock())
    with capture_logs() as lines:
        attempt = await route.attempt(MESSAGE, b"{}")
    assert (attempt.outcome.error, attempt.verdict.state) == ("bad-answer", "waiting")
    assert route.is_failing(attempt.outcome)
    (line,) = [line for line in lines if line["log_level"] == "error"]
    assert (line["endpoint_id"], line["message"], type(line["exc_info"])) == ("e1", 1, KeyError)
