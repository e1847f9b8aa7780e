"""`/partnerships/P/reconcile`: a table of the partner or of a bank compared with the log.

How the table was read is shown with the result, and can be corrected: the file stays in memory for some minutes, and
the browser keeps what was corrected. Nothing is stored here.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Annotated, Final

from cachetools import TTLCache
from fastapi import APIRouter, Depends, Form, UploadFile
from fastapi.responses import Response

from consumers.api.access import money_scope
from consumers.api.parameters import Id
from consumers.api.reader import ReadAnswer, Reader
from consumers.console.page_request import Visit, Visiting
from consumers.console.pages.partnerships.shown import partnership_of
from consumers.documents.ledger.reconciliation import FindingKind
from consumers.explain.ledger.bank_table import (
    KINDS,
    Columns,
    Comparison,
    compared,
    remember,
)
from consumers.explain.ledger.over_http.calculations import ENTRIES_HERE_MAX, Raw, entries_in_scope
from consumers.explain.ledger.reconcile import totals
from consumers.replay.as_of.view import View
from consumers.replay.event_index.consumer import CONSUMER as EVENT_INDEX
from consumers.revenue import read
from consumers.revenue.consumer import CONSUMER as REVENUE
from events.values.bilingual import Bilingual

Number = Annotated[str, Form(max_length=6)]


@dataclass(frozen=True, slots=True)
class ColumnsForm:
    """What was said of the columns, by their places; nothing with a new file."""

    kind: Annotated[str, Form(max_length=40)] = ""
    date: Number = ""
    amount: Number = ""
    id: Number = ""
    currency: Number = ""
    unit: Annotated[str, Form(max_length=20)] = ""
    order: Annotated[str, Form(max_length=20)] = ""

    def columns(self) -> Columns | None:
        """None where nothing is said, or a place is none."""
        places = {name: value for name in ("date", "amount", "id", "currency") if (value := getattr(self, name))}
        if not all(value.isdecimal() for value in places.values()) or not {"date", "amount"} <= set(places):
            return None
        numbers = {name: int(value) for name, value in places.items()}
        return Columns(
            kind=self.kind,
            date=numbers["date"],
            amount=numbers["amount"],
            id=numbers.get("id"),
            currency=numbers.get("currency"),
            in_halalas=self.unit == "halalas",
            month_first=self.order == "month-first",
        )


_CONSUMERS: Final = (REVENUE, EVENT_INDEX)
FILE_BYTES_MAX: Final = 1 << 20
_SHOWN_MAX: Final = 200
_FILES_MAX: Final = 32
_KEPT_S: Final = 900
COOKIE: Final = "tables"
_YEAR_S: Final = 365 * 24 * 3600
_TOO_LARGE: Final = Bilingual("حجم الملف أكبر من ميغابايت واحد.", "The file is larger than 1 MiB.")
_NO_FILE: Final = Bilingual("اختر ملف CSV أو XLSX.", "Choose a CSV or XLSX file.")
_MANY: Final = Bilingual(
    "للشراكة أكثر من {} قيد، أو فهرس الأحداث متأخر. استعمل الأمر yesser ledger reconcile.",
    "The partnership has more than {} entries, or the index of events is behind. Use the command"
    " yesser ledger reconcile.",
).format(ENTRIES_HERE_MAX)
_files: Final[TTLCache[tuple[str, str], bytes]] = TTLCache(_FILES_MAX, _KEPT_S)
"""The last table of an account for a partnership."""

routes = APIRouter()


@routes.get("/partnerships/{partnership_id}/reconcile")
async def form(visit: Visiting, partnership_id: Id) -> Response:
    return await _page(visit, partnership_id)


@routes.post("/partnerships/{partnership_id}/reconcile")
async def compare(
    visit: Visiting, partnership_id: Id, given: Annotated[ColumnsForm, Depends()], table: UploadFile | None = None
) -> Response:
    key = visit.account.username, partnership_id
    content = _files.get(key, b"") if table is None else await table.read(FILE_BYTES_MAX + 1)
    fault = _NO_FILE if not content else _TOO_LARGE if len(content) > FILE_BYTES_MAX else None
    if fault is not None:
        return await _page(visit, partnership_id, fault)
    entries, strangers = (await _entries_for(visit.reader, partnership_id)).document
    if entries is None:
        return await _page(visit, partnership_id, _MANY)
    said = given.columns() if table is None else None
    kept = _kept(visit)
    work = visit.reader.reads.calculations.beside
    found = await work(visit.caller.quota_name, compared, content, said, kept, entries, strangers)
    if isinstance(found, Bilingual):
        return await _page(visit, partnership_id, found)
    _files[key] = content
    answer = await _page(visit, partnership_id, found=found)
    if said is not None:
        known = remember(kept, found.table, found.columns)
        visit.parts.cookies.set(answer, COOKIE, urlsafe_b64encode(known).decode(), _YEAR_S)
    return answer


def _kept(visit: Visit) -> bytes:
    """What the browser keeps of tables."""
    try:
        return urlsafe_b64decode(visit.parts.cookies.value(visit.request.cookies, COOKIE))
    except ValueError:
        return b"{}"


async def _entries_for(reader: Reader, partnership_id: str) -> ReadAnswer[tuple[list[Raw] | None, frozenset[int]]]:
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
    visit: Visit, partnership_id: str, fault: Bilingual | None = None, found: Comparison | None = None
) -> Response:
    own = await partnership_of(visit, partnership_id)
    findings = () if found is None else found.findings
    differing = [finding for finding in findings if finding.kind is not FindingKind.MATCHED]
    return visit.page(
        "partnerships/reconcile.html",
        200 if fault is None else 422,
        own=own,
        kinds=KINDS,
        fault=fault,
        found=found,
        preview=() if found is None else found.table.preview(found.columns),
        shown=differing[:_SHOWN_MAX],
        unshown=max(0, len(differing) - _SHOWN_MAX),
        counts={kind: count for kind, count in totals(findings).items() if count},
        tab="reconcile",
    )
