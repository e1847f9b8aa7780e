"""The faults of a refused event, each with its reason and its remedy in both languages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from events.faults.problems import PROBLEMS
from events.faults.problems import Fault as FoundFault
from events.values.bilingual import Bilingual
from infra.event_files.lint import sentence_of
from infra.log.refusals.documents import Fault as LoggedFault
from producers.sdk.answers import EventError

Fault = EventError | LoggedFault | FoundFault
"""A fault as the gateway or the log lists it, or as validation found it."""
_CONFLICT: Final = Bilingual(
    "هذا المعرّف لحدث آخر في السجل. اكتب معرّفًا جديدًا.", "Another event in the log has this id. Write a new one."
)


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


def faults_by_name(faults: Iterable[Fault]) -> dict[str, list[Bilingual]]:
    """Sentences for each field. The subject is made of other fields: its fault counts only where there is no other. An
    id that another event has is a fault of the id."""
    listed = explained(faults)
    found: dict[str, list[Bilingual]] = {}
    for fault in [one for one in listed if one.pointer != "/subject"] or listed:
        is_conflict = fault.code == "conflict"
        name = "id" if is_conflict else fault.pointer.removeprefix("/").replace("/", ".")
        found.setdefault(name, []).append(_CONFLICT if is_conflict else fault.detail)
    return found
