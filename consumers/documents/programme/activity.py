"""The activity of agencies: what was accepted, by full type, and what was refused."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

from msgspec import Struct

from consumers.documents.document import AgencyCode, Count, Label, Listing


class Counted(Struct, frozen=True, kw_only=True):
    count: Annotated[Count, Label("العدد", "Count")]
    first_index: Count
    last_index: Count


class Activity(Struct, kw_only=True):
    READ_FIRST: ClassVar = ("agency", "accepted", "types", "refused")

    agency: Annotated[AgencyCode, Label("الجهة", "Agency")]
    events: dict[str, Counted]
    refusals: Counted | None

    @property
    def accepted(self) -> Annotated[int, Label("المقبول", "Accepted")]:
        return sum(kind.count for kind in self.events.values())

    @property
    def types(self) -> Annotated[int, Label("الأنواع", "Types", drop=2)]:
        return len(self.events)

    @property
    def refused(self) -> Annotated[int, Label("المرفوض", "Refused")]:
        return 0 if self.refusals is None else self.refusals.count

    @property
    def last_index(self) -> Annotated[int, Label("آخر قيد", "Last entry", drop=1)]:
        return max(counted.last_index for counted in (*self.events.values(), self.refusals) if counted is not None)


ACTIVITY: Final = Listing("نشاط الجهات", "Activity", Activity)
