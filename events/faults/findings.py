"""A fault before its sentence is written: whether values may be quoted is known only when all faults are found."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from events.faults.details import DETAILS
from events.faults.problems import Code, Fault
from events.values.personal_data import shows_ten_digits

SHOWN_LENGTH_MAX: Final = 40
"""Longest quote of a claimed value, in characters. The sentence stays in the log."""

_SHOWN: Final = re.compile(r"[A-Za-z\d._:,+/-]*")
_CLAIMED: Final = frozenset({"value", "instead"})
_UNQUOTED: Final = "This value"
_UNQUOTED_SENTENCES: Final[Mapping[str, str]] = {
    "The name {value} occurs twice in one object; write it once.": (
        "A name occurs twice in one object; write it once."
    ),
    "The attribute {value} is in two headers; send one.": "An attribute is in two headers; send one.",
    "{value} is {kind}; write {due} ({instead}).": "{value} is {kind}; write {due}.",
    "{value} is not the subject of this data; write {instead}.": (
        "The subject is not the one of this data; write the one that the data gives."
    ),
}
"""The sentence where a claimed value may not be quoted and "This value" would not be clear."""


class Finding(NamedTuple):
    """A fault: `sentence` is a key of `DETAILS`, `values` fill it. Only `value` and `instead` come from the claim."""

    pointer: str
    code: Code
    sentence: str
    values: Mapping[str, Any]

    def fault(self, *, quoting: bool) -> Fault:
        """The fault with its sentence. Claimed values are quoted only if `quoting`, and never if they look personal."""
        sentence = self.sentence
        if _CLAIMED.isdisjoint(self.values):
            return Fault(self.pointer, self.code, sentence.format(**self.values))
        values = {name: value if name not in _CLAIMED else None for name, value in self.values.items()}
        if quoting:
            values |= {name: shown(self.values[name]) for name in _CLAIMED & self.values.keys()}
        unquoted = {name for name, value in values.items() if value is None}
        if "instead" in unquoted or (unquoted and "instead" not in values):
            sentence = _UNQUOTED_SENTENCES.get(sentence, sentence)
        if "value" in unquoted:
            values["value"] = _UNQUOTED
        return Fault(self.pointer, self.code, sentence.format(**values))


def finding(code: Code, pointer: str, sentence: str, **values: Any) -> Finding:
    """A finding with a sentence of `DETAILS`. Raises `KeyError` for any other sentence."""
    if sentence not in DETAILS:
        raise KeyError(f"{sentence!r} has no Arabic: add it to DETAILS")
    return Finding(pointer, code, sentence, values)


def shown(value: Any) -> str | None:
    """A claimed value, shortened for display; None for a list, an object, null, what looks personal, and a text that
    may be words of a person: only what has the letters of codes, numbers, dates and addresses is shown."""
    if value is None or isinstance(value, (list, dict)):
        return None
    text = value if isinstance(value, str) else json.dumps(value) if isinstance(value, bool) else str(value)
    if shows_ten_digits(text) or (isinstance(value, str) and not _SHOWN.fullmatch(value)):
        return None
    short = text if len(text) <= SHOWN_LENGTH_MAX else f"{text[:SHOWN_LENGTH_MAX]}…"
    # Cutting may complete a run of ten digits.
    return None if shows_ten_digits(short) else f'"{short}"' if isinstance(value, str) else short
