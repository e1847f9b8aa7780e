"""Log lines in a readable form: time, level, message, then fields.

Our own processes write JSON lines; Kafka and PostgreSQL write text that begins with a time. A line without a time (a
Java stack trace) belongs to the line before.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d(?:\.\d+)?)(?:Z| UTC)? ?")
Fields: TypeAlias = dict[str, Any]
"""The members of a line of structured logs, which each message chooses."""
_SHOWN_BY_ITSELF: Final = ("event", "level", "timestamp", "process")
_INDENT: Final = "    "


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line: its part, its time (ISO, or empty) and its text unchanged."""

    part: str
    time: str
    text: str


def parse_lines(part: str, lines: Iterable[str], time: str = "") -> list[LogLine]:
    """The lines of a log in order; `time` is that of the line before the first."""
    parsed = []
    for line in lines:
        time = _time_of(line) or time
        parsed.append(LogLine(part, time, line))
    return parsed


def by_time(logs: Iterable[Iterable[LogLine]], count: int) -> list[LogLine]:
    """The last lines of several logs by time; lines of one log stay in order."""
    merged = sorted((line for log in logs for line in log), key=lambda line: line.time)
    return merged[-count:] if count else []


def readable(line: LogLine, width: int, *, named: bool) -> str:
    """The readable line, folded at `width`; `named` adds its part's name."""
    document = _document(line.text)
    text = line.text if document is None else _sentence(document)
    clock = line.time[11:19]
    if document is None and (time := _TIME.match(text)):
        text = text[time.end() :]
    head = " ".join(filter(None, [clock, line.part if named else ""]))
    return textwrap.fill(
        f"{head} {text}".strip() or " ",
        width,
        subsequent_indent=_INDENT,
        break_on_hyphens=False,
        break_long_words=False,
        replace_whitespace=False,
    )


def _time_of(line: str) -> str:
    document = _document(line)
    if document is not None:
        return str(document.get("timestamp", ""))
    match = _TIME.match(line)
    return f"{match[1]}T{match[2]}" if match else ""


def _document(line: str) -> Fields | None:
    if not line.startswith("{"):
        return None
    try:
        document: Fields = json.loads(line)
    except ValueError:
        return None
    return document


def _sentence(document: Fields) -> str:
    fields = (
        f"{name}={value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
        for name, value in document.items()
        if name not in _SHOWN_BY_ITSELF
    )
    return " ".join([str(document.get("level", "")), str(document.get("event", "")), *fields]).strip()
