"""The faults of a refused event, each with its reason and its remedy in both languages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from events.faults.problems import PROBLEMS
from events.values.bilingual import Bilingual
from infra.event_files.lint import sentence_of
from infra.log.refusal import Fault as LoggedFault
from producers.sdk.answers import EventError

Fault = EventError | LoggedFault
"""A fault as the gateway, or the log, lists it."""


@dataclass(frozen=True, slots=True)
class Explained:
    """A fault in words. `pointer` is where it is in the event, "" for the whole; `column` is that of a table."""

    code: str
    pointer: str
    detail: Bilingual
    remedy: Bilingual | None
    column: str = ""


def explained(faults: Iterable[Fault]) -> list[Explained]:
    """The faults of a refusal, or of the gateway's answer."""
    return [explained_fault(fault.code, fault.pointer, fault.detail) for fault in faults]


def explained_fault(code: str, pointer: str, detail: str, column: str = "") -> Explained:
    """A code of a later release has no remedy here."""
    known: Any = PROBLEMS.get(code)  # type: ignore[call-overload]
    words = sentence_of(detail) if detail or known is None else known.title
    return Explained(code, pointer, words, None if known is None else known.remedy, column)
