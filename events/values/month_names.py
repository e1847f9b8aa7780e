"""The months of the Umm al-Qura calendar by name, in Arabic and English: one name of each for every page and letter."""

from __future__ import annotations

from typing import Final

from events.values.bilingual import Bilingual

HIJRI_MONTHS: Final = (
    Bilingual("محرم", "Muharram"),
    Bilingual("صفر", "Safar"),
    Bilingual("ربيع الأول", "Rabi al-Awwal"),
    Bilingual("ربيع الآخر", "Rabi al-Thani"),
    Bilingual("جمادى الأولى", "Jumada al-Ula"),
    Bilingual("جمادى الآخرة", "Jumada al-Thania"),
    Bilingual("رجب", "Rajab"),
    Bilingual("شعبان", "Shaban"),
    Bilingual("رمضان", "Ramadan"),
    Bilingual("شوال", "Shawwal"),
    Bilingual("ذو القعدة", "Dhu al-Qidah"),
    Bilingual("ذو الحجة", "Dhu al-Hijja"),
)
