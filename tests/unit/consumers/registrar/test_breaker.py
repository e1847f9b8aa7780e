"""When a topic is paused, for how long, and what ends it; how the reading was cut into batches changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from consumers.registrar.breaker import Breaker, Limits, Pause
from infra.settings import Settings

NOW = datetime(2026, 11, 25, 8, tzinfo=UTC)
LIMITS = Limits(in_a_row_max=5, window_records=20, refused_percent_max=50, wait_s=30, wait_max_s=100)
REASON = {"ar": "سبب", "en": "reason"}
GOOD, BAD = False, True


def test_each_limit_is_the_setting_of_its_name() -> None:
    settings = Settings(
        breaker_refused_in_a_row_max=2,
        breaker_window_records=3,
        breaker_refused_percent_max=4,
        breaker_wait_s=5,
        breaker_wait_max_s=6,
    )
    assert Limits.of(settings) == Limits(
        in_a_row_max=2, window_records=3, refused_percent_max=4, wait_s=5, wait_max_s=6
    )


def feed(breaker: Breaker, verdicts: Sequence[bool], sizes: Sequence[int]) -> int:
    """Verdicts in batches of these sizes, over and over; how many were taken before the topic was paused."""
    taken = turn = 0
    while taken < len(verdicts):
        batch = verdicts[taken : taken + sizes[turn % len(sizes)]]
        turn += 1
        taken += breaker.record(batch, NOW)
        if breaker.pause is not None:
            break
    return taken


def test_so_many_refusals_in_a_row_pause_the_topic_and_the_rest_is_left() -> None:
    breaker = Breaker(LIMITS)
    assert breaker.record([GOOD, BAD, BAD, BAD, BAD, BAD, BAD, GOOD], NOW) == 6
    assert breaker.pause is not None
    assert breaker.pause.until == NOW + timedelta(seconds=30)
    assert breaker.pause.reason["en"] == "5 records in a row were refused"
    assert breaker.state(NOW) == "open"


def test_one_good_record_in_between_begins_the_count_anew() -> None:
    breaker = Breaker(LIMITS)
    assert breaker.record([BAD] * 4 + [GOOD] + [BAD] * 4, NOW) == 9
    assert breaker.state(NOW) == "closed"


def test_too_large_a_share_of_refusals_pauses_the_topic() -> None:
    breaker = Breaker(LIMITS)
    assert breaker.record([BAD, GOOD] * 10, NOW) == 19
    assert breaker.pause is not None
    assert "10 records within 20" in breaker.pause.reason["en"]


def test_a_share_below_the_limit_never_pauses_it() -> None:
    breaker = Breaker(LIMITS)
    assert breaker.record([GOOD, BAD, GOOD] * 1_000, NOW) == 3_000
    assert breaker.state(NOW) == "closed"


def test_when_the_wait_is_over_a_refusal_opens_it_again_for_longer_up_to_a_limit() -> None:
    breaker, now, waits = Breaker(LIMITS), NOW, []
    breaker.record([BAD] * 5, now)
    for _ in range(40):
        assert breaker.pause is not None
        waits.append((breaker.pause.until - now).total_seconds())
        now = breaker.pause.until
        assert breaker.state(now) == "half-open"
        assert breaker.record([BAD, BAD], now) == 1
    assert waits[:4] == [30, 60, 100, 100]
    assert max(waits) == 100


def test_an_accepted_record_after_the_wait_closes_it_and_the_counts_begin_anew() -> None:
    breaker = Breaker(LIMITS, Pause(NOW, 3, REASON))
    assert breaker.record([GOOD], NOW) == 1
    assert breaker.state(NOW) == "closed"
    assert breaker.record([BAD] * 4, NOW) == 4
    assert breaker.state(NOW) == "closed"
    breaker.record([BAD], NOW)
    assert breaker.pause is not None
    assert breaker.pause.times == 1


@given(
    st.lists(st.sampled_from([GOOD, BAD, BAD, BAD]), max_size=200),
    st.lists(st.integers(1, 60), min_size=1, max_size=5),
)
def test_the_cut_into_batches_changes_nothing(verdicts: list[bool], sizes: list[int]) -> None:
    one_by_one, in_batches = Breaker(LIMITS), Breaker(LIMITS)
    assert feed(one_by_one, verdicts, [1]) == feed(in_batches, verdicts, sizes)
    assert one_by_one.pause == in_batches.pause


@given(st.lists(st.booleans(), max_size=300))
def test_it_is_paused_exactly_at_the_first_refusal_that_breaks_a_limit(verdicts: list[bool]) -> None:
    breaker = Breaker(LIMITS)
    taken = feed(breaker, verdicts, [300])
    too_many = [
        n
        for n in range(1, len(verdicts) + 1)
        if verdicts[max(0, n - 5) : n] == [BAD] * 5 or sum(verdicts[(n - 1) // 20 * 20 : n]) >= 10
    ]
    assert taken == (too_many[0] if too_many else len(verdicts))
    assert (breaker.pause is not None) == bool(too_many)
