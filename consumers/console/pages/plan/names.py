"""Words of the plan's pages that stand for codes of the contract: (Arabic, English)."""

from __future__ import annotations

from typing import Final

Name = tuple[str, str]

GROUPS: Final[dict[str, Name]] = {
    "1": ("المجموعة الأولى", "First group"),
    "2": ("المجموعة الثانية", "Second group"),
    "3": ("المجموعة الثالثة", "Third group"),
}
TRACKS: Final[dict[str, Name]] = {
    "usage": ("الاستخدام", "Use"),
    "specialist": ("المتخصصون", "Specialists"),
    "leadership": ("القيادات ومديرو المشاريع", "Leaders and project managers"),
}
CHANNELS: Final[dict[str, Name]] = {
    "tv": ("المرئية", "Television"),
    "radio": ("المسموعة", "Radio"),
    "print": ("المقروءة", "Print"),
}
ERAS: Final[dict[str, Name]] = {"gregorian": ("م", "CE"), "umm-al-qura": ("هـ", "AH")}
