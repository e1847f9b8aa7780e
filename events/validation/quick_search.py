"""The quick search for national ids over the bytes of canonical JSON, and the exact one over an event's texts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from events.values.personal_data import holds_personal_data

_BETWEEN_TEXTS: Final = "\0"
"""No letter or digit, and in no text of a well-formed event."""
_LOOKS_PERSONAL: Final = re.compile(r"\0[12][0-9]{9}\0")

# In UTF-8 the Arabic-Indic digits are D9 A0…A9 and the Persian ones DB B0…B9. Without their lead bytes, all thirty
# digits become one byte each; so do a few other letters, which can only cause false positives.
_TO_MARK: Final = bytes(
    0x01 if 0x30 <= byte <= 0x39 or 0xA0 <= byte <= 0xA9 or 0xB0 <= byte <= 0xB9 else 0x00 for byte in range(256)
)
_LEAD_BYTES: Final = b"\xd9\xdb"
_TEN_MARKS: Final = b"\x01" * 10

# In ASCII without escapes nothing else is a digit or a letter.
_TO_ASCII_MARK: Final = bytes(
    0x01 if 0x30 <= byte <= 0x39 else 0x02 if byte < 0x80 and chr(byte).isalpha() else 0x00 for byte in range(256)
)
_TEN_MARKS_ALONE: Final = b"\x00" + _TEN_MARKS + b"\x00"


def any_is_personal(event: dict[str, Any]) -> bool:
    """Whether a text of a well-formed event holds a national id, or is ten digits that begin with 1 or 2.

    Names are not searched: those of the catalogue hold none. Not every text of ten digits is a fault; the full check
    knows which.
    """
    texts = [""]
    _add_texts(event.values(), texts)
    joined = _BETWEEN_TEXTS.join([*texts, ""])
    if not is_suspect(joined.encode(), event.get("sequence")):
        return False
    return _LOOKS_PERSONAL.search(joined) is not None or holds_personal_data(joined)


def _add_texts(values: Iterable[Any], texts: list[str]) -> None:
    for value in values:
        kind = type(value)
        if kind is str:
            texts.append(value)
        elif kind is dict:
            _add_texts(value.values(), texts)
        elif kind is list:
            _add_texts(value, texts)


def is_suspect(json_text: bytes, sequence: str | None = None) -> bool:
    """Whether the UTF-8 bytes of a JSON object or array, or of texts between NULs, may show ten digits alone.

    Escapes of digits and letters (`\\u0661`) must be resolved. Exact in ASCII without escapes. The 20 digits of an
    event's `sequence` are not a run of ten. Removing the same 20 digits from other texts hides no run of ten.
    """
    if json_text.isascii() and b"\\" not in json_text:
        # From the right: CPython's search from the left takes three times as long here.
        return json_text.translate(_TO_ASCII_MARK).rfind(_TEN_MARKS_ALONE) >= 0
    shown = json_text if sequence is None else json_text.replace(sequence.encode(), b"")
    return _TEN_MARKS in shown.translate(_TO_MARK, _LEAD_BYTES)
