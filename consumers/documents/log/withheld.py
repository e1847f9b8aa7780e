"""Free texts of entries, and what was withheld of them: by whom, and on what basis
(docs/decisions/texts-that-can-be-withheld.md).
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

from msgspec import Struct

from consumers.documents.document import AgencyCode, Count, EventType, Instant, Label, Listing, Name


class FreeText(Struct, frozen=True, kw_only=True):
    """A free text of an entry. `withheld_by`: the entry that withholds it; without one the text is kept."""

    entry: Annotated[Count, Label("القيد", "Entry")]
    pointer: Annotated[str, Label("الموضع", "Place")]
    type: Annotated[EventType, Label("نوع الحدث", "Event type", drop=2)]
    agency: Annotated[AgencyCode, Label("الجهة", "Agency", drop=1)]
    recorded: Annotated[Instant, Label("وقت التسجيل", "Recorded", drop=4)]
    withheld_by: Annotated[Count | None, Label("حجبه القيد", "Withheld by entry")]


class WithheldText(FreeText, frozen=True, kw_only=True):
    """A text that is withheld, since `withheld_at`. `operator`: who ran the command; `confirmed_by`: the two people who
    confirmed it, none where nobody had to."""

    READ_FIRST: ClassVar = ("entry", "pointer", "agency", "type", "withheld_by", "withheld_at")

    withheld_at: Annotated[Instant, Label("وقت الحجب", "Withheld")]
    operator: Annotated[str | None, Label("نفّذه", "By", drop=3)]
    confirmed_by: Annotated[tuple[str, ...], Label("أكّده", "Confirmed by", drop=3)]
    reason: Annotated[Name, Label("السبب", "Reason", is_detail=True)]
    legal_basis: Annotated[Name, Label("السند النظامي", "Legal basis", drop=1)]


FREE_TEXTS: Final = Listing("النصوص الحرة للقيد", "Free texts of the entry", FreeText)
WITHHELD_TEXTS: Final = Listing("النصوص المحجوبة", "Withheld texts", WithheldText)
