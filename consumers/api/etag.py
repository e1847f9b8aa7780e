"""Entity tags: the log index of the read models that an answer shows.

The tag is weak: another version of this program may write the same figures in other bytes. While consumers are at
different indexes it has all of them, because any may be the next to move.
"""

from __future__ import annotations

from collections.abc import Collection


def tag_of(positions: Collection[int], variant: str = "") -> str:
    """`W/"1042"`, or `W/"1042-1040-1042"` while consumers are at different indexes; `W/"1042.pdf"` of a variant."""
    shown = positions if len(set(positions)) > 1 else [min(positions)]
    return f'W/"{"-".join(map(str, shown))}{variant and f".{variant}"}"'


def names(if_none_match: str | None, tag: str) -> bool:
    """Whether the header `If-None-Match` names this tag, by the weak comparison of RFC 9110 §8.8.3.2."""
    given = (part.strip().removeprefix("W/") for part in (if_none_match or "").split(","))
    return tag.removeprefix("W/") in given
