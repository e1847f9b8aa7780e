"""The known name that a misspelt one was probably meant to be."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from functools import lru_cache
from typing import Final

_LENGTH_MAX: Final = 64
ONE_IN_FIVE: Final = 0.8
"""How alike two names are of which one letter in five differs."""
ONE_IN_EIGHT: Final = 0.875


def nearest(name: str, known: Collection[str], alike: float = ONE_IN_FIVE) -> str | None:
    """The known name that is most like this one; None where none is so `alike`, or the name is longer than any."""
    return _nearest(name, tuple(known), alike) if len(name) <= _LENGTH_MAX else None


@lru_cache(maxsize=512)
def _nearest(name: str, known: tuple[str, ...], alike: float) -> str | None:
    # A mistake comes again with each event of its sender.
    return next(iter(get_close_matches(name, known, 1, alike)), None)
