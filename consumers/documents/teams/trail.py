"""The trail: who did what."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

from msgspec import Struct

from consumers.documents.document import Count, Label, Listing, Time


class TrailRow(Struct, frozen=True, kw_only=True):
    """`sha256`: of its link in the chain."""

    READ_FIRST: ClassVar = ("position", "at", "account", "operator")

    position: Annotated[Count, Label("الموضع", "Position", drop=3)]
    at: Annotated[Time, Label("الوقت", "Time")]
    role: Annotated[str | None, Label("دور قاعدة البيانات", "Database role", drop=2)]
    account: Annotated[str | None, Label("الحساب", "Account")]
    operator: Annotated[str | None, Label("المشغّل", "Operator")]
    host: Annotated[str, Label("الجهاز", "Machine", drop=1)]
    command: Annotated[str, Label("الإجراء", "Action")]
    event_ids: tuple[str, ...] | None
    sha256: str


TRAIL: Final = Listing("سجل الإجراءات", "Trail", TrailRow)
