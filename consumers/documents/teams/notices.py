"""Notices to an agency's engineers, and what the agency expects of its own systems."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal, get_args

from msgspec import UNSET, Meta, Struct, UnsetType

from consumers.documents.document import AgencyCode, Count, EventType, Label, Labelled, Listing, Time
from events.values.bilingual import Bilingual

NoticeName = Literal[
    "notice.refusal",
    "notice.anomaly",
    "notice.pause",
    "notice.halt",
    "notice.resumed",
    "notice.credential",
    "notice.certificate",
    "notice.silence",
]
"""The types of notices, which a subscription names beside those of events."""
NOTICE_NAMES: Final[tuple[NoticeName, ...]] = get_args(NoticeName)


class NoticeItem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One of the things that a notice is about; the members depend on its type."""

    index: Annotated[int | UnsetType, Label("القيد", "Entry")] = UNSET
    type: Annotated[str | UnsetType, Label("الحدث", "Event")] = UNSET
    subject: Annotated[str | UnsetType, Label("الموضوع", "Subject")] = UNSET
    codes: Annotated[tuple[str, ...] | UnsetType, Label("الأسباب", "Codes")] = UNSET
    rule: Annotated[str | UnsetType, Label("القاعدة", "Rule")] = UNSET
    reason: Annotated[Bilingual | UnsetType, Label("السبب", "Reason")] = UNSET
    since: Annotated[datetime | UnsetType, Label("منذ", "Since")] = UNSET
    until: Annotated[datetime | UnsetType, Label("حتى", "Until")] = UNSET
    key_id: Annotated[str | UnsetType, Label("معرّف الرمز", "Key id")] = UNSET
    serial: Annotated[str | UnsetType, Label("رقم الشهادة", "Certificate")] = UNSET
    expires_at: Annotated[datetime | UnsetType, Label("ينتهي", "Expires")] = UNSET
    expectation_id: Annotated[int | UnsetType, Label("التوقع", "Expectation")] = UNSET
    due_at: Annotated[datetime | UnsetType, Label("الموعد", "Due")] = UNSET
    last_index: Annotated[int | UnsetType, Label("آخر قيد", "Last entry")] = UNSET


class Notice(Struct, frozen=True, kw_only=True):
    """The `data` of a notice: how many things it is about, the first of them, and where all are read.

    `console` is null where the installation has no console with a public address, and for certificates.
    """

    agency: AgencyCode
    count: Count
    items: tuple[NoticeItem, ...]
    gateway: str
    console: str | None


class ExpectationState(Labelled):
    KEPT = "kept", "كما هو متوقع", "As expected", "good"
    SILENT = "silent", "لم يصل", "Nothing came", "bad"


class Expectation(Struct, frozen=True, kw_only=True):
    """What an agency expects: `by_day`: an event each month by the end of this day in Riyadh; `every_days`: one at
    least every so many days."""

    expectation_id: Annotated[Count, Label("التوقع", "Expectation")]
    agency: Annotated[AgencyCode, Label("الجهة", "Agency", drop=1)]
    type: Annotated[EventType, Label("الحدث", "Event")]
    subject: Annotated[str | None, Label("الموضوع", "Subject", drop=1)]
    by_day: Annotated[Count | None, Label("كل شهر حتى يوم", "Each month by day")]
    every_days: Annotated[Count | None, Label("كل كم يومًا", "Every (days)")]
    state: Annotated[ExpectationState, Label("الحالة", "State")]
    last_index: Annotated[
        Count | None, Label("آخر قيد", "Last entry", drop=2), Meta(description="The last entry that fits.")
    ]
    created_at: Time


EXPECTATIONS: Final = Listing("الأحداث المتوقعة", "Expected events", Expectation)
