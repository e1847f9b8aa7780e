"""The faults of a refused event, each with its reason and its remedy in both languages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from events.faults.details import arabic_of
from events.faults.problems import PROBLEMS, Bilingual


@dataclass(frozen=True, slots=True)
class Explained:
    """A fault. `pointer` is where it is in the event, "" for the whole."""

    code: str
    pointer: str
    detail: Bilingual
    remedy: Bilingual | None


def explained(errors: Iterable[Mapping[str, Any]]) -> list[Explained]:
    """The faults of a refusal, or of the gateway's answer. A code of a later release has no remedy here."""
    return [_explained(error) for error in errors]


def _explained(error: Mapping[str, Any]) -> Explained:
    code, detail = str(error.get("code", "")), str(error.get("detail", ""))
    known: Any = PROBLEMS.get(code)  # type: ignore[call-overload]
    arabic = str(error["detail_ar"]) if "detail_ar" in error else arabic_of(detail)
    words = Bilingual(arabic, detail) if detail or known is None else known.title
    return Explained(code, str(error.get("pointer", "")), words, None if known is None else known.remedy)
