"""The names of the domains that event types belong to: the first word of a type's name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from events.values.bilingual import Bilingual

_B: Final = Bilingual

DOMAINS: Final[Mapping[str, Bilingual]] = {
    "plan": _B("الخطة", "Plan"),
    "project": _B("المشاريع", "Projects"),
    "service": _B("الخدمات", "Services"),
    "training": _B("التدريب", "Training"),
    "partnership": _B("الشراكات", "Partnerships"),
    "revenue": _B("الإيرادات", "Revenue"),
    "awareness": _B("التوعية", "Awareness"),
    "registry": _B("الجهات", "Agencies"),
    "registrar": _B("المسجِّل", "Registrar"),
    "campaign": _B("الحملات", "Campaigns"),
    "settlement": _B("الكشوف", "Statements"),
    "projection": _B("نماذج القراءة", "Read models"),
}
