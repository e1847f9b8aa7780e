"""Days and months by name, in Arabic and English: one name of each for every command and letter."""

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
GREGORIAN_MONTHS: Final = (
    Bilingual("يناير", "January"),
    Bilingual("فبراير", "February"),
    Bilingual("مارس", "March"),
    Bilingual("أبريل", "April"),
    Bilingual("مايو", "May"),
    Bilingual("يونيو", "June"),
    Bilingual("يوليو", "July"),
    Bilingual("أغسطس", "August"),
    Bilingual("سبتمبر", "September"),
    Bilingual("أكتوبر", "October"),
    Bilingual("نوفمبر", "November"),
    Bilingual("ديسمبر", "December"),
)
WEEKDAYS: Final = (
    Bilingual("الاثنين", "Monday"),
    Bilingual("الثلاثاء", "Tuesday"),
    Bilingual("الأربعاء", "Wednesday"),
    Bilingual("الخميس", "Thursday"),
    Bilingual("الجمعة", "Friday"),
    Bilingual("السبت", "Saturday"),
    Bilingual("الأحد", "Sunday"),
)
"""From Monday on, as `date.weekday` counts."""
