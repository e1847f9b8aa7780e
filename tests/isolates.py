"""Arabic sentences as a reader sees them."""

from __future__ import annotations

import re
from typing import Final

_ISOLATES: Final = re.compile("[\u2066-\u2069]")


def without_isolates(text: str) -> str:
    """The text without the marks around values; `tests/unit/events/values/test_bilingual.py` is about these."""
    return _ISOLATES.sub("", text)
