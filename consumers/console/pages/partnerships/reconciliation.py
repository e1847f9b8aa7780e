"""`/partnerships/P/reconcile`: a table of the partner or of a bank compared with the log. Nothing of it is kept.

The form says which columns of the table are the id, the date, the amount and the currency.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, BinaryIO, Final, Literal, cast

from fastapi import APIRouter, Depends, Form, UploadFile
from fastapi.responses import Response

from consumers.api.access import money_scope
from consumers.api.parameters import Id
from consumers.api.reader import Answer, Reader
from consumers.console.pages.partnerships.shown import partnership_of
from consumers.console.visit import Visit, Visiting
from consumers.documents.ledger.reconciliation import Finding, FindingKind
from consumers.documents.log.records import FIELDS
from consumers.explain.ledger.over_http.calculations import ENTRIES_HERE_MAX, Raw, entries_in_scope
from consumers.explain.ledger.reconcile import FileRow, reconcile, totals
from consumers.replay.as_of.view import View
from consumers.replay.event_index.consumer import CONSUMER as EVENT_INDEX
from consumers.revenue import read
from consumers.revenue.consumer import CONSUMER as REVENUE
from events.values.bilingual import Bilingual
from events.wire.envelope import full_type
from infra.errors import WrongInput
from infra.tables.mapping import Column, MappingDocument
from infra.tables.rows import all_rows, mapped_rows

MAPPED: Final[Mapping[str, Bilingual]] = {
    "revenue.collected": Bilingual("المحصّل", "Collected receipts"),
    "revenue.reversed": Bilingual("المردود", "Reversals"),
    "revenue.paid-out": Bilingual("المصروف للشريك", "Payouts to the partner"),
}
_DELIMITERS: Final = {",": ",", ";": ";", "tab": "\t"}
_AMOUNTS: Final = {"riyals": "riyals", "halalas": "integer"}
_CURRENCY_NAMES: Final = frozenset({"currency", "عملة", "العملة"})


Text = Annotated[str, Form(max_length=200)]


@dataclass(frozen=True, slots=True)
class TableForm:
    """What was given. Without `id_column` rows are matched by date and amount; without `currency_column` a column that
    is named so holds the currency."""

    kind: Text = "revenue.collected"
    id_column: Text = ""
    date_column: Text = ""
    amount_column: Text = ""
    amounts: Text = "riyals"
    delimiter: Text = ","
    encoding: Text = "utf-8"
    currency_column: Text = ""

    def fault(self) -> Bilingual | None:
        """What is missing or unknown."""
        if not self.date_column.strip() or not self.amount_column.strip():
            return Bilingual(
                "اكتب اسم عمود التاريخ واسم عمود المبلغ.", "Write the names of the date and amount columns."
            )
        known = self.kind in MAPPED and self.amounts in _AMOUNTS and self.delimiter in _DELIMITERS
        if not known or self.encoding not in ("utf-8", "windows-1256"):
            return Bilingual("اختر من القوائم.", "Choose from the lists.")
        return None

    def mapping(self, header: Sequence[str]) -> MappingDocument:
        """The mapping of a table with this header: every other column is ignored."""
        id_name, date_name = FIELDS[self.kind]
        amount_type = cast(Literal["riyals", "integer"], _AMOUNTS[self.amounts])
        columns = {
            self.date_column.strip(): Column(pointer=f"/data/{date_name}"),
            self.amount_column.strip(): Column(pointer="/data/amount_halalas", type=amount_type),
        }
        if self.id_column.strip():
            columns[self.id_column.strip()] = Column(pointer=f"/data/{id_name}")
        named = (name for name in header if name.strip().casefold() in _CURRENCY_NAMES and name not in columns)
        currency = self.currency_column.strip() or next(named, "")
        if currency:
            columns[currency] = Column(pointer="/data/currency")
        return self._plain().model_copy(
            update={
                "constants": {"/type": full_type(self.kind)},
                "columns": columns,
                "ignored_columns": [name for name in header if name not in columns],
            }
        )

    def header(self, table: BinaryIO) -> list[str]:
        """The names of the table's columns. Raises `WrongInput`."""
        first = next(all_rows(table, self._plain()), None)
        return [] if first is None else first.cells

    def _plain(self) -> MappingDocument:
        encoding = cast(Literal["utf-8", "windows-1256"], self.encoding)
        return MappingDocument(encoding=encoding, delimiter=_DELIMITERS[self.delimiter])


def findings_of(
    form: TableForm,
    table: BinaryIO,
    entries: Sequence[tuple[int, bytes]],
    strangers: frozenset[int] = frozenset(),
) -> list[Finding]:
    """The table compared with the entries of a partnership, without those of `strangers`. Raises `WrongInput`.

    Entries of agencies that do not own the partnership never count, and are not in what its partner may see.
    """
    mapping = form.mapping(form.header(table))
    rows = [FileRow(line, bound.event(cells).get("data", {})) for line, bound, cells in mapped_rows(table, mapping)]
    return reconcile(form.kind, rows, [entry for entry in entries if entry[0] not in strangers])


_CONSUMERS: Final = (REVENUE, EVENT_INDEX)
FILE_BYTES_MAX: Final = 1 << 20
_SHOWN_MAX: Final = 200
_TOO_LARGE: Final = Bilingual("حجم الملف أكبر من ميغابايت واحد.", "The file is larger than 1 MiB.")
_NO_FILE: Final = Bilingual("اختر ملف CSV.", "Choose a CSV file.")
_UNREADABLE: Final = Bilingual("تعذرت قراءة الملف:", "The file cannot be read:")
_MANY: Final = Bilingual(
    "للشراكة أكثر من {} قيد، أو فهرس الأحداث متأخر. استعمل الأمر yesser ledger reconcile.",
    "The partnership has more than {} entries, or the index of events is behind. Use the command"
    " yesser ledger reconcile.",
).format(ENTRIES_HERE_MAX)
_one_at_a_time: Final = asyncio.Semaphore(1)

routes = APIRouter()


@routes.get("/partnerships/{partnership_id}/reconcile")
async def form(visit: Visiting, partnership_id: Id) -> Response:
    return await _page(visit, partnership_id, TableForm())


@routes.post("/partnerships/{partnership_id}/reconcile")
async def compare(
    visit: Visiting, partnership_id: Id, given: Annotated[TableForm, Depends()], table: UploadFile | None = None
) -> Response:
    content = b"" if table is None else await table.read(FILE_BYTES_MAX + 1)
    fault = _NO_FILE if not content else _TOO_LARGE if len(content) > FILE_BYTES_MAX else given.fault()
    if fault is not None:
        return await _page(visit, partnership_id, given, fault)
    entries, strangers = (await _entries_for(visit.reader, partnership_id)).document
    if entries is None:
        return await _page(visit, partnership_id, given, _MANY)
    try:
        async with _one_at_a_time:
            findings = await asyncio.to_thread(findings_of, given, io.BytesIO(content), entries, strangers)
    except WrongInput as error:
        return await _page(visit, partnership_id, given, _UNREADABLE, reason=str(error))
    return await _page(visit, partnership_id, given, findings=findings)


async def _entries_for(reader: Reader, partnership_id: str) -> Answer[tuple[list[Raw] | None, frozenset[int]]]:
    """The entries of a partnership, None as `few_entries`; and those of agencies that do not own it, for a partner.

    Raises `Problem` (403, 404, 500 for a changed entry, 503).
    """
    scope = money_scope(reader.caller)

    async def question(view: View) -> tuple[list[Raw] | None, frozenset[int]]:
        entries = await entries_in_scope(reader, view, partnership_id)
        if scope.partners is None or entries is None:
            return entries, frozenset()
        return entries, await read.strangers(await view.use(REVENUE), [index for index, _ in entries])

    return await reader.read(_CONSUMERS, question)


async def _page(
    visit: Visit,
    partnership_id: str,
    given: TableForm,
    fault: Bilingual | None = None,
    findings: list[Finding] | None = None,
    reason: str = "",
) -> Response:
    own = await partnership_of(visit, partnership_id)
    differing = [finding for finding in findings or () if finding.kind is not FindingKind.MATCHED]
    return visit.page(
        "partnerships/reconcile.html",
        200 if fault is None else 422,
        own=own,
        form=given,
        kinds=MAPPED,
        fault=fault,
        reason=reason,
        findings=findings,
        shown=differing[:_SHOWN_MAX],
        unshown=max(0, len(differing) - _SHOWN_MAX),
        counts={kind: count for kind, count in totals(findings or ()).items() if count},
        tab="reconcile",
    )
