"""Entity tags by log index."""

from __future__ import annotations

from consumers.api.reader import names, tag_of
from tests.every import every


def test_consumers_at_one_index_give_that_index_and_one_that_moves_or_another_day_another_tag() -> None:
    assert tag_of([1042, 1042, 1042]) == 'W/"1042"'
    assert tag_of([1042], "2026-11-26") == 'W/"1042.2026-11-26"'
    assert not names(tag_of([1042], "2026-11-26"), tag_of([1042], "2026-11-27"))
    assert len({tag_of(positions) for positions in ([5, 4, 5], [5, 4, 4], [4, 5, 4], [5, 5, 5])}) == 4


@every(
    ("header", "named"),
    [
        (None, False),
        ("", False),
        ("*", False),
        ('W/"7"', True),
        ('"7"', True),
        ('"6", W/"7"', True),
        ('W/"77"', False),
        ("7", False),
    ],
)
def test_if_none_match_compares_weakly(header: str | None, named: bool) -> None:
    assert names(header, tag_of([7])) is named
