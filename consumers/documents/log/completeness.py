"""Completeness: which sequence numbers of an agency's month are there, and which are missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Final

from msgspec import Meta, Struct

from consumers.documents.document import AgencyCode, Count, Label, Labelled

RANGES_SHOWN_MAX: Final = 5
SequenceNumber = Count | str
"""A text beyond 53 bits."""


class CompletenessStatus(Labelled):
    """`NO_NUMBERS_IN_LOG`: there are refused records, whose entries hold no number, and no event with one: whether
    numbers were sent is not known. `ONLY_EARLIER_NUMBERS`: all numbers of the month fill holes of earlier ones."""

    NOTHING_SENT = "nothing-sent", "لم يُرسل شيء", "Nothing was sent", "quiet"
    NO_NUMBERS_SENT = "no-numbers-sent", "لم تُرسل أرقام", "No numbers were sent", "quiet"
    NO_NUMBERS_IN_LOG = (
        *("no-numbers-in-log", "لا أرقام في السجل: لا يحفظ أرقام المرفوض"),
        *("No numbers in the log: it holds none of refused records", "quiet"),
    )
    ONLY_EARLIER_NUMBERS = "only-earlier-numbers", "أرقام أشهر سابقة فقط", "Only numbers of earlier months", "quiet"
    COMPLETE = "complete", "مكتمل", "Complete", "good"
    INCOMPLETE = "incomplete", "ناقص", "Incomplete", "late"
    NOT_KNOWN = "not-known", "غير معروف: الأرقام متفرقة", "Not known: the numbers are too scattered"


_READ: Final = ["complete", "incomplete", "only-earlier-numbers", "no-numbers-sent", "not-known"]
"""What the registrar says: it read the numbers of refused records too."""


class AgencyMonth(Struct, frozen=True, kw_only=True):
    """What the registrar read of an agency in a month."""

    agency: Annotated[AgencyCode, Label("الجهة", "Agency")]
    status: Annotated[CompletenessStatus, Label("الحالة", "State"), Meta(extra_json_schema={"enum": _READ})]
    first: Annotated[SequenceNumber | None, Label("من رقم", "From number")]
    last: Annotated[SequenceNumber | None, Label("إلى رقم", "To number")]
    missing_count: Annotated[SequenceNumber | None, Label("ما لم يصل", "Missing")]


class MonthRow(Struct, frozen=True):
    """An agency's month. `entries`: accepted events, `numbered`: those with a number, `refused`: refused records.

    `first` to `last` are the month's own numbers; of these `in_log`, `missing` and `repeated` (on two accepted events)
    are inclusive ranges. `missing_count` is None where nothing can be missing or it is not known.
    """

    READ_FIRST: ClassVar = ("month", "status", "entries", "numbered", "refused", "numbers")

    agency: str
    month: Annotated[str, Label("الشهر", "Month")]
    status: Annotated[CompletenessStatus, Label("الحالة", "State")]
    entries: Annotated[int, Label("القيود", "Entries", drop=3)]
    numbered: Annotated[int, Label("المرقّم", "Numbered", drop=4)]
    refused: Annotated[int, Label("المرفوض", "Refused", drop=5)]
    first: int | None
    last: int | None
    missing_count: Annotated[int | None, Label("عدد الناقص", "Missing")]
    in_log: list[list[int]]
    missing: list[list[int]]
    repeated: list[list[int]]

    @property
    def numbers(self) -> Annotated[str | None, Label("الأرقام", "Numbers", drop=2)]:
        return None if self.first is None else f"{self.first}-{self.last}"

    @property
    def which(self) -> Annotated[str, Label("الناقص", "Which", drop=1)]:
        return ranges_text(self.missing, RANGES_SHOWN_MAX)


def ranges_text(ranges: Sequence[Sequence[int]], most: int | None = None) -> str:
    """`1-5 9`; with `most`, only the first ranges and how many follow."""
    shown = [str(first) if first == last else f"{first}-{last}" for first, last in ranges[:most]]
    left = len(ranges) - len(shown)
    return " ".join([*shown, *([f"+{left}"] if left else [])])


class Months(Struct, frozen=True, kw_only=True):
    """The months that have numbers, and the agencies in one of them."""

    month: str | None
    months: tuple[str, ...]
    agencies: tuple[AgencyMonth, ...]
