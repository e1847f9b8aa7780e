"""What follows an attempt to deliver a webhook."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from consumers.delivery.webhooks.schedule import (
    JITTER,
    REST_MAX_S,
    RESTS_AFTER,
    RETRY_AFTER_MAX_S,
    Outcome,
    Verdict,
    disable_reason,
    is_late,
    policy,
    rest_s,
    retry_after_s,
    verdict,
)
from infra.settings import Settings
from tests.every import every

POLICY = policy(Settings())
NOW = datetime(2026, 11, 1, 8, tzinfo=UTC)


def answer(status: int | None, retry_after: float | None = None) -> Outcome:
    return Outcome(status, None if status else "timeout", 12, b"", retry_after)


def test_2xx_is_delivered_and_everything_else_is_attempted_again() -> None:
    for status in (200, 201, 204, 299):
        assert verdict(1, answer(status), POLICY, 0.5) == Verdict("delivered"), status
    for other in (None, 199, 301, 302, 308, 400, 404, 410, 429, 500, 503):
        assert verdict(1, answer(other), POLICY, 0.0) == Verdict("waiting", 5.0), other


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


@every(
    ("text", "seconds"),
    [
        (None, None),
        ("120", 120),
        ("Sun, 01 Nov 2026 08:02:00 GMT", 120),
        ("Sun, 01 Nov 2026 07:00:00 GMT", 0),
        ("soon", None),
        ("-5", None),
        ("٥", None),
        ("9" * 400, 999_999_999),
        ("Sun, 99 Nov 2026 08:02:00 GMT", None),
        ("Thu, 01 Jan 99999999999 00:00:00 GMT", None),
        ("Thu, 99999999999 Jan 2026 00:00:00 GMT", None),
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


def test_an_endpoint_rests_after_some_failures_in_a_row_ever_longer_up_to_a_bound() -> None:
    rests = [rest_s(failures) for failures in range(RESTS_AFTER - 1, 1_000)]
    assert rests[:4] == [0, 5, 10, 20]
    assert rests == sorted(rests)
    assert rests[-1] == REST_MAX_S


def test_a_message_is_late_once_later_ones_may_overtake_it() -> None:
    assert not is_late(NOW, NOW + POLICY.lane_wait, POLICY)
    assert is_late(NOW, NOW + POLICY.lane_wait + timedelta(seconds=1), POLICY)
