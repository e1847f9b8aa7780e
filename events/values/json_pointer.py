"""JSON pointers (RFC 6901) of faults. They contain claimed names, so they are kept short and free of personal data."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from events.values.personal_data import holds_personal_data

NAME_LENGTH_MAX: Final = 256
UNCLEAN: Final = re.compile("[\x00\ud800-\udfff]")
"""NUL and lone surrogates: JSON can express them, and no text of an event may hold them."""


def pointer_to(parent: str, name: str | int) -> str:
    """The pointer of a member; that of its parent where the name is the fault, looks personal, or is too long."""
    text = str(name)
    if not name_is_clean(text) or len(text) > NAME_LENGTH_MAX:
        return parent
    pointer = f"{parent}/{text.replace('~', '~0').replace('/', '~1')}"
    # Escaping may complete a run of ten digits ("/064971268" becomes "~1064971268").
    return parent if holds_personal_data(pointer) else pointer


def pointer_of(location: Iterable[str | int]) -> str:
    """The pointer of a path of names and list positions."""
    pointer = ""
    for name in location:
        pointer = pointer_to(pointer, name)
    return pointer


def name_is_clean(name: str) -> bool:
    """Whether a name has neither NUL nor a lone surrogate."""
    return UNCLEAN.search(name) is None


def is_within(pointer: str, ancestor: str) -> bool:
    """Whether `pointer` is `ancestor` or lies below it."""
    return pointer == ancestor or pointer.startswith(ancestor + "/")
