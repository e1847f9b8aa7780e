"""The faults of a refused event, each with its reason and its remedy in both languages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from events.faults.details import arabic_of
from events.faults.problems import PROBLEMS, Bilingual


class Fault(Protocol):
    """A fault as the log, or the gateway, lists it. `pointer` is where it is in the event, "" for the whole."""

    @property
    def code(self) -> str: ...
    @property
    def pointer(self) -> str: ...
    @property
    def detail(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Explained:
    """A fault in words."""

    code: str
    pointer: str
    detail: Bilingual
    remedy: Bilingual | None


def explained(faults: Iterable[Fault]) -> list[Explained]:
    """The faults of a refusal, or of the gateway's answer."""
    return [explained_fault(fault.code, fault.pointer, fault.detail) for fault in faults]


def explained_fault(code: str, pointer: str, detail: str, arabic: str | None = None) -> Explained:
    """`arabic`: of the detail, where it is known. A code of a later release has no remedy here."""
    known: Any = PROBLEMS.get(code)  # type: ignore[call-overload]
    arabic = arabic_of(detail) if arabic is None else arabic
    words = Bilingual(arabic, detail) if detail or known is None else known.title
    return Explained(code, pointer, words, None if known is None else known.remedy)
