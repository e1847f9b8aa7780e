"""Places that hold the name of a person: what `yesser find-person` lists."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

from msgspec import Struct

from consumers.documents.document import AgencyCode, Count, EventType, Instant, Label, Listing


class NamedPlace(Struct, frozen=True, kw_only=True):
    """A text of an entry, or of the kept bytes of a refused record, whose refusal is entry `index`.

    `pointer` is a JSON pointer into the event.
    """

    READ_FIRST: ClassVar = ("index", "is_refused", "agency", "pointer", "text")

    index: Annotated[Count, Label("القيد", "Entry")]
    is_refused: Annotated[bool, Label("سجل مرفوض", "Refused record", drop=2)]
    recorded: Annotated[Instant, Label("وقت التسجيل", "Recorded", drop=4)]
    type: Annotated[EventType | None, Label("نوع الحدث", "Event type", drop=3)]
    agency: Annotated[AgencyCode, Label("الجهة", "Agency")]
    pointer: Annotated[str, Label("الموضع", "Place")]
    text: Annotated[str, Label("النص", "Text", drop=1)]


NAMED_PLACES: Final = Listing("المواضع التي ورد فيها النص", "Places that hold the text", NamedPlace)
