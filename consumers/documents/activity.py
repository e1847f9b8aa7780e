"""The activity of agencies: what was accepted, by full type, and what was refused."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Struct

from consumers.documents.document import Count, Label, Listing


class Counted(Struct, frozen=True, kw_only=True):
    count: Count
    first_index: Count
    last_index: Count


class Activity(Struct, kw_only=True):
    agency: str
    events: dict[str, Counted]
    refusals: Counted | None


class ActivityTotal(Struct, frozen=True, kw_only=True):
    """All types together."""

    agency: Annotated[str, Label("الجهة", "Agency")]
    accepted: Annotated[Count, Label("المقبول", "Accepted")]
    types: Annotated[Count, Label("الأنواع", "Types", drop=2)]
    refused: Annotated[Count, Label("المرفوض", "Refused")]
    last_index: Annotated[Count, Label("آخر قيد", "Last entry", drop=1)]


def total_of(row: Activity) -> ActivityTotal:
    kinds, refused = row.events.values(), row.refusals
    return ActivityTotal(
        agency=row.agency,
        accepted=sum(kind.count for kind in kinds),
        types=len(kinds),
        refused=0 if refused is None else refused.count,
        last_index=max(counted.last_index for counted in (*kinds, refused) if counted is not None),
    )


ACTIVITY: Final = Listing("نشاط الجهات", "Activity", ActivityTotal)
