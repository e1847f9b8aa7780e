"""A text in one language, and the names of channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from consumers.documents.campaigns import campaigns
from events.faults.problems import Bilingual

Language = Literal["ar", "en"]


def languages(first: str) -> tuple[Language, Language]:
    """Both languages, that of the reader first."""
    return ("en", "ar") if first == "en" else ("ar", "en")


def of(text: Bilingual, language: Language) -> str:
    return text.ar if language == "ar" else text.en


def channel_list(channels: Sequence[str], language: Language) -> str:
    names = campaigns.channel_list(channels)
    return names.ar if language == "ar" else names.en
