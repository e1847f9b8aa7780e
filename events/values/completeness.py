"""What sequence numbers say of what was lost: one judgement for the entries, the API and the console."""

from __future__ import annotations

from typing import Literal

Status = Literal["only-earlier-numbers", "complete", "incomplete", "not-known"]


def completeness_status(missing_count: int | None, *, is_overflowed: bool) -> Status:
    """The status of numbers that were sent. `missing_count` is None where all of them fill holes of earlier months.

    Once numbers are no longer kept (`is_overflowed`), one that seems missing may have been read.
    """
    if is_overflowed:
        return "not-known"
    if missing_count is None:
        return "only-earlier-numbers"
    return "incomplete" if missing_count else "complete"
