"""Anomalies: accepted events that contradict what is known, and changed nothing (events.md §3)."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Struct, UnsetType

from consumers.documents.document import AgencyCode, Count, EventType, Label, RuleCode
from events.values.data import Data


class Anomaly(Struct, frozen=True, kw_only=True):
    index: Annotated[Count, Label("القيد", "Entry")]
    found_index: Annotated[Count, Label("وُجد عند", "Found at", drop=4)]
    rule: Annotated[RuleCode, Label("القاعدة", "Rule")]
    type: Annotated[EventType, Label("الحدث", "Event", drop=2)]
    subject: Annotated[str, Label("الموضوع", "Subject", drop=1)]
    agency: Annotated[AgencyCode, Label("الجهة", "Agency", drop=3)]
    claimed: Data
    known: Data
    """What is known instead: which names it has depends on the rule."""
    judged: bool | UnsetType = UNSET
    """False as of an occurred date: what it contradicts is the entries that count, not those before it."""
