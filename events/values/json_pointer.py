"""JSON pointers (RFC 6901) of faults. They contain claimed names, so they show plain words only.

A pointer ends at the first name that is no plain word, or holds a national id.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from events.values.personal_data import holds_personal_data

# An index has at most five digits: an event has fewer bytes than that. So a name of more digits is not shown.
_SHOWN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}|0|[1-9][0-9]{0,4}")
UNCLEAN: Final = re.compile("[\x00\ud800-\udfff]")
"""NUL and lone surrogates: JSON can express them, and no text of an event may hold them."""


def is_shown(name: str) -> bool:
    """Whether a pointer shows a name: a plain word or an index, without personal data."""
    return _SHOWN.fullmatch(name) is not None and not holds_personal_data(name)


def pointer_of(location: Iterable[str | int]) -> str:
    """The pointer of a path of names and list positions, up to the first name that is not shown."""
    pointer = ""
    for name in map(str, location):
        if not is_shown(name):
            break
        pointer += f"/{name}"
    return pointer
