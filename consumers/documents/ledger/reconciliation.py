"""What a table of a partner or a bank gives beside the log."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

from msgspec import Struct

from consumers.documents.document import Date, Halalas, Label, Labelled, Listing, Name


class FindingKind(Labelled):
    MATCHED = "matched", "متطابق", "Matched"
    DIFFERENT = "different", "مختلف", "Different"
    MISSING_IN_LOG = "missing-in-log", "ناقص في السجل", "Missing in the log"
    MISSING_IN_FILE = "missing-in-file", "ناقص في الملف", "Missing in the file"
    DOUBLED = "doubled", "مكرر", "Doubled"
    UNREADABLE = "unreadable", "لا يُقرأ", "Unreadable"


class ReadRow(Struct, frozen=True, kw_only=True):
    """A row of a table as it was read. `written_on` is anybody's text."""

    line: Annotated[int, Label("السطر", "Line")]
    id: Annotated[str | None, Label("المعرّف", "Id")]
    written_on: Annotated[str | None, Label("التاريخ كما كُتب", "Date as written")]
    dated_on: Annotated[Date | None, Label("التاريخ", "Date")]
    amount_halalas: Annotated[Halalas | None, Label("المبلغ", "Amount")]


class Finding(Struct, frozen=True):
    """A row, an entry, or both, and how they compare. `id` and `dated_on` are anybody's text."""

    READ_FIRST: ClassVar = ("finding",)

    kind: FindingKind
    line: Annotated[int | None, Label("السطر", "Line")]
    index: Annotated[int | None, Label("القيد", "Entry")]
    id: Annotated[str | None, Label("المعرّف", "Id", drop=1)]
    dated_on: Annotated[str | None, Label("التاريخ", "Date", is_detail=True)]
    file_halalas: Annotated[Halalas | None, Label("الملف", "File")]
    log_halalas: Annotated[Halalas | None, Label("السجل", "Log")]
    reason: Annotated[Name | None, Label("السبب", "Reason")] = None

    @property
    def finding(self) -> Annotated[FindingKind, Label("النتيجة", "Finding")]:
        """The kind, as files name it."""
        return self.kind


READ_ROWS: Final = Listing("أول السطور كما قُرئت", "The first rows as they are read", ReadRow)
