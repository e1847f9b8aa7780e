"""A value of an event or a figure, as a reader sees it. Every text of an event is isolated, and a very long one cut."""

from __future__ import annotations

import re
from typing import Any, Final

from markupsafe import Markup

from consumers.console.web.language import Words, code, isolated
from consumers.documents.document import NO, YES
from consumers.documents.log.explanations import Change
from infra.json_documents import to_json

TEXT_LENGTH_MAX: Final = 2_000
_DATE: Final = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")
_NONE: Final = "—"


def shown(words: Words, name: str, value: Any) -> Markup | str:
    """`name` tells money (`…_halalas`) and rates (`…_bp`) from other numbers."""
    if value is None:
        return _NONE
    if isinstance(value, bool):
        return words.of(YES if value else NO)
    if isinstance(value, int):
        if name.endswith("_halalas"):
            return words.money(value)
        return words.percent(value) if name.endswith("_bp") else words.number(value)
    if isinstance(value, str):
        return _day(words, value) or text(words, value)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return text(words, words.say("، ", ", ").join(value)) if value else _NONE
    return code(cut(words, to_json(value).decode()))


def change(words: Words, name: str, changed: Change) -> Markup | str:
    """By how much a number changed, with its sign; empty for what is no number or was set for the first time."""
    if changed.amount is None:
        return ""
    amount = shown(words, name, changed.amount)
    return amount if changed.amount < 0 else Markup("+{}").format(amount)


def text(words: Words, value: str) -> Markup:
    """A text of unknown direction, cut where it is enormous."""
    return isolated(cut(words, value))


def cut(words: Words, value: str) -> str:
    if len(value) <= TEXT_LENGTH_MAX:
        return value
    more = words.say(" … (النص كامل في ملف الإثبات)", " … (the whole text is in the proof file)")
    return value[:TEXT_LENGTH_MAX] + more


def _day(words: Words, value: str) -> Markup | None:
    if _DATE.fullmatch(value) is None:
        return None
    try:
        return words.day(value)
    except ValueError:
        return None
