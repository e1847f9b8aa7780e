"""The months of the Umm al-Qura calendar by name, in Arabic and English: one name of each for every page and letter."""

from __future__ import annotations

from typing import Final

HIJRI_MONTHS: Final = (
    ("محرم", "Muharram"),
    ("صفر", "Safar"),
    ("ربيع الأول", "Rabi al-Awwal"),
    ("ربيع الآخر", "Rabi al-Thani"),
    ("جمادى الأولى", "Jumada al-Ula"),
    ("جمادى الآخرة", "Jumada al-Thania"),
    ("رجب", "Rajab"),
    ("شعبان", "Shaban"),
    ("رمضان", "Ramadan"),
    ("شوال", "Shawwal"),
    ("ذو القعدة", "Dhu al-Qidah"),
    ("ذو الحجة", "Dhu al-Hijja"),
)
