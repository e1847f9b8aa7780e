"""JSON pointers (RFC 6901) of faults: they name claimed members, so they are kept free of personal data and short."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from events.values.personal_data import holds_personal_data

NAME_LENGTH_MAX: Final = 256
UNCLEAN: Final = re.compile("[\x00\ud800-\udfff]")
"""NUL and lone surrogates: what JSON can write and no text of an event may hold."""


def pointer_to(parent: str, name: str | int) -> str:
    """The pointer of a member; that of its parent where the name itself is the fault, is personal, or is endless."""
    text = str(name)
    if not name_is_clean(text) or len(text) > NAME_LENGTH_MAX:
        return parent
    pointer = f"{parent}/{text.replace('~', '~0').replace('/', '~1')}"
    # Escaping may itself complete a ten-digit run ("/064971268" becomes "~1064971268").
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
