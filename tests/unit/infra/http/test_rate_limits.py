"""How much a caller may ask for."""

from __future__ import annotations

from infra.http.rate_limits import RateLimit
from producers.gateway.recent import Recent, Repeat, Stored


def test_a_burst_passes_then_the_rate_holds_for_each_caller() -> None:
    limit = RateLimit(per_s=2, burst=3)
    assert [limit.wait_s("a", 0.0) for _ in range(5)] == [0, 0, 0, 1, 1]
    assert [limit.wait_s("a", 0.5) for _ in range(2)] == [0, 1]
    slow = RateLimit(per_s=0.1, burst=1)
    assert [slow.wait_s(name, 0.0) for name in ("a", "b", "a", "b")] == [0, 0, 10, 10]


def test_endless_names_do_not_fill_the_memory() -> None:
    limit = RateLimit(per_s=1, burst=1, names_max=100)
    for number in range(10_000):
        limit.wait_s(str(number), number / 1_000)
    assert len(limit._buckets) <= 100


def take(recent: Recent, agency: str, *events: tuple[str, int]) -> list[Repeat]:
    """A request of these ids, at these offsets; an event's bytes are its id."""
    ids, offsets = [id_ for id_, _ in events], [offset for _, offset in events]
    return recent.add(agency, Stored(range(len(events)), ids, offsets, [id_.encode() for id_ in ids]))


def test_what_was_taken_lately_is_remembered_and_the_oldest_forgotten() -> None:
    recent = Recent(remembered_max=4)
    take(recent, "health", ("a", 5), ("b", 6))
    take(recent, "health", ("a", 7))
    assert [recent.offset_of("health", name) for name in "ab"] == [7, 6]
    take(recent, "moi", ("b", 8))
    assert [recent.offset_of("health", name) for name in "ab"] == [7, None]
    assert [recent.offset_of("moi", name) for name in "ab"] == [None, 8]


def test_an_id_that_was_taken_before_is_a_repeat_of_the_last_record_with_it() -> None:
    recent = Recent()
    assert take(recent, "health", ("a", 5), ("b", 6)) == []
    assert take(recent, "moi", ("a", 0)) == [], "another agency's"
    assert take(recent, "health", ("c", 7), ("b", 8), ("c", 9)) == [
        Repeat(1, "b", b"b", 6, True),
        Repeat(2, "c", b"c", 7, True),
    ]
    assert recent.add("health", Stored([0], ["b"], [10], [b"other"])) == [Repeat(0, "b", b"other", 8, False)]
    assert recent.add("health", Stored([0], ["b"], [4], [b"other"])) == [], (
        "it was stored before the one that is remembered"
    )
