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
SERVICE_STATES: Final[dict[str, Name]] = {
    "registered": ("مسجلة", "Registered"),
    "live": ("تعمل", "Live"),
    "suspended": ("موقوفة", "Suspended"),
    "retired": ("منتهية", "Retired"),
}
KINDS: Final[dict[str, Name]] = {
    "infrastructure": ("مشاريع البنى التحتية", "Infrastructure projects"),
    "national-application": ("التطبيقات الوطنية", "National applications"),
}
STEPS: Final[dict[str, Name]] = {
    "service.registered": ("سُجلت الخدمة", "Service registered"),
    "service.launched": ("أُطلقت الخدمة", "Service launched"),
    "service.suspended": ("أُوقفت الخدمة", "Service suspended"),
    "service.resumed": ("استؤنفت الخدمة", "Service resumed"),
    "service.retired": ("انتهت الخدمة", "Service retired"),
    "service.reassigned": ("نُقلت الخدمة إلى جهة أخرى", "Service moved to another agency"),
    "project.registered": ("سُجل المشروع", "Project registered"),
    "project.phase-started": ("بدأت المرحلة", "Phase started"),
    "project.phase-completed": ("اكتملت المرحلة", "Phase completed"),
    "project.phase-reopened": ("أُعيد فتح المرحلة", "Phase reopened"),
    "project.cancelled": ("أُلغي المشروع", "Project cancelled"),
    "project.reassigned": ("نُقل المشروع إلى جهة أخرى", "Project moved to another agency"),
}
