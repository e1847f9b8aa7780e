"""When a topic is paused, for how long, and what ends it; how the reading was cut into batches changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from consumers.registrar.breaker import CLOSED, Breaker, BreakerState, Outcome, Pause
from infra.settings import Settings
from tests.every import every

NOW = datetime(2026, 11, 25, 8, tzinfo=UTC)
LIMITS = Settings(
    breaker_duplicates_in_a_row_max=20,
    breaker_conflicts_in_a_row_max=10,
    breaker_refused_in_a_row_max=5,
    breaker_refused_bytes_max=5_000,
    breaker_percent_max=80,
    breaker_wait_s=30,
    breaker_wait_max_s=100,
)
REASON = {"ar": "سبب", "en": "reason"}
GOOD, AGAIN, CONFLICT, BAD = Outcome.ACCEPTED, Outcome.DUPLICATE, Outcome.CONFLICT, Outcome.REFUSED
IN_A_ROW = {AGAIN: 20, CONFLICT: 10, BAD: 5}


def feed(breaker: Breaker, outcomes: Sequence[Outcome], now: datetime = NOW, sizes: Sequence[int] = (1,)) -> int:
    """How many records were counted before the topic was paused."""
    for taken, outcome in enumerate(outcomes, 1):
        if breaker.record(outcome, taken, sizes[taken % len(sizes)], now):
            return taken
    return len(outcomes)


def test_so_many_of_a_kind_in_a_row_pause_the_topic_with_words_of_its_own() -> None:
    reasons = []
    for kind, limit in IN_A_ROW.items():
        breaker = Breaker(LIMITS)
        assert feed(breaker, [GOOD, *[kind] * 100]) == 1 + limit
        assert breaker.pause is not None
        assert (breaker.pause.until, breaker.pause.cause) == (NOW + timedelta(seconds=30), kind)
        assert breaker.pause.reason["en"].startswith(f"{limit} records ")
        assert str(limit) in breaker.pause.reason["ar"]
        assert breaker.state(NOW) == "open"
        reasons.append(breaker.pause.reason)
    assert len({reason["en"].split(" records ")[1] for reason in reasons}) == 3
    assert len({reason["ar"] for reason in reasons}) == 3


@every("kind", IN_A_ROW)
def test_a_share_up_to_the_limit_never_pauses_it_and_a_greater_one_does(kind: Outcome) -> None:
    assert feed(Breaker(LIMITS), [kind, kind, kind, kind, GOOD] * 1_000) == 5_000
    assert feed(Breaker(LIMITS), [*[kind] * 9, GOOD] * 1_000) < 10_000


def test_records_of_a_better_kind_drain_the_bucket_of_a_worse_one_only() -> None:
    assert feed(Breaker(LIMITS), [BAD, BAD, AGAIN, AGAIN, AGAIN] * 4) == 20, "a file that is sent again, with mistakes"
    assert feed(Breaker(LIMITS), [BAD, AGAIN] * 100) == 40, "refusals hide no duplicates"
    assert feed(Breaker(LIMITS), [CONFLICT, AGAIN] * 100) == 40
    assert feed(Breaker(LIMITS), [BAD, CONFLICT] * 100) == 20


@every(("kind", "records"), [(BAD, 1_000), (CONFLICT, 10_000)])
def test_an_agency_of_which_80_percent_is_refused_is_paused_by_default(kind: Outcome, records: int) -> None:
    breaker = Breaker(Settings())
    assert feed(breaker, [kind, kind, kind, kind, GOOD] * 10_000) < records
    assert breaker.pause is not None
    assert breaker.pause.cause is kind
    assert feed(Breaker(Settings()), [kind, GOOD] * 10_000) == 20_000, "a half is not"


@every("kind", [BAD, CONFLICT])
def test_so_many_bytes_of_refused_records_pause_the_topic_whatever_their_number(kind: Outcome) -> None:
    breaker = Breaker(LIMITS)
    assert feed(breaker, [kind, GOOD] * 100, sizes=[1, 1_000]) == 11, "1,000 bytes of one, and 1 byte of the other"
    assert breaker.pause is not None
    assert breaker.pause.cause is kind
    assert breaker.pause.reason["en"].startswith("5,000 bytes of records were refused")
    assert "5,000" in breaker.pause.reason["ar"]
    assert feed(Breaker(LIMITS), [kind, GOOD] * 100, sizes=[300, 1_000]) == 200, "not more than 80 % of the bytes"
    assert feed(Breaker(LIMITS), [AGAIN, GOOD] * 100, sizes=[1, 10_000]) == 200, "of a duplicate nothing is kept"


def test_large_refusals_among_as_many_events_pause_a_topic_by_default() -> None:
    """A half of them by number: without the bytes each event would let 128 KiB of a refusal be kept, without end."""
    assert 100 < feed(Breaker(Settings()), [BAD, GOOD] * 10_000, sizes=[500, 131_072]) < 300
    assert Settings().breaker_duplicates_in_a_row_max == 200_000, "a backlog that is sent again once pauses nothing"


@every("kind", IN_A_ROW)
def test_when_the_wait_is_over_a_record_as_bad_opens_it_again_for_longer_up_to_a_limit(kind: Outcome) -> None:
    breaker, now, waits = Breaker(LIMITS), NOW, []
    feed(breaker, [kind] * 20)
    for _ in range(40):
        assert breaker.pause is not None
        waits.append((breaker.pause.until - now).total_seconds())
        now = breaker.pause.until
        assert breaker.state(now) == "half-open"
        assert breaker.record(kind, 0, 1, now)
    assert waits[:4] == [30, 60, 100, 100]
    assert max(waits) == 100


@every("cause", IN_A_ROW)
@every("probe", Outcome)
def test_only_a_record_of_a_better_kind_ends_the_pause(cause: Outcome, probe: Outcome) -> None:
    breaker = Breaker(LIMITS, BreakerState(pause=Pause(NOW, 3, REASON, cause)))
    assert breaker.record(probe, 0, 1, NOW) is (probe >= cause)
    assert (breaker.pause is not None) is (probe >= cause)
    if breaker.pause is None:
        assert breaker.kept == CLOSED, "the counts begin anew"
    else:
        assert (breaker.pause.times, breaker.pause.cause, breaker.pause.reason) == (4, cause, REASON)


def test_records_that_an_operator_let_through_are_not_counted() -> None:
    breaker = Breaker(LIMITS)
    breaker.uncounted_up_to = 50
    assert not any(breaker.record(BAD, offset, 1, NOW) for offset in range(50))
    assert breaker.kept == CLOSED
    assert [breaker.record(BAD, offset, 1, NOW) for offset in range(50, 55)] == [False] * 4 + [True]


@given(
    st.lists(st.sampled_from([GOOD, AGAIN, AGAIN, AGAIN, CONFLICT, BAD, BAD]), max_size=200),
    st.lists(st.integers(1, 60), min_size=1, max_size=5),
)
def test_epochs_that_go_on_from_what_was_kept_pause_alike(outcomes: list[Outcome], sizes: list[int]) -> None:
    """Neither a batch's end nor an epoch's changes anything: nothing is forgotten, nothing is counted twice."""
    one, kept, taken, turn = Breaker(LIMITS), CLOSED, 0, 0
    whole = feed(one, outcomes)
    while taken < len(outcomes) and kept.pause is None:
        part = outcomes[taken : taken + sizes[turn % len(sizes)]]
        fenced = Breaker(LIMITS, kept)
        feed(fenced, part)  # its batch was not committed: the next epoch counts the same records again
        breaker = Breaker(LIMITS, kept)
        taken += feed(breaker, part)
        kept, turn = breaker.kept, turn + 1
    assert taken == whole
    assert kept == one.kept
