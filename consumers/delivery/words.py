"""A text in one language."""

from __future__ import annotations

from typing import Literal

from consumers.documents.document import Name
from events.faults.problems import Bilingual

Language = Literal["ar", "en"]


def languages(first: str) -> tuple[Language, Language]:
    """Both languages, that of the reader first."""
    return ("en", "ar") if first == "en" else ("ar", "en")


def of(text: Bilingual | Name, language: Language) -> str:
    return text.ar if language == "ar" else text.en
