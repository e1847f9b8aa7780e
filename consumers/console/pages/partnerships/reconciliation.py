"""`/partnerships/P/reconcile`: a table of the partner or of a bank compared with the log. Nothing of it is kept."""

from __future__ import annotations

import asyncio
import io
from typing import Annotated, Final

from fastapi import APIRouter, Form, UploadFile
from fastapi.responses import Response

from consumers.as_of.view import View
from consumers.console.pages.partnerships.shown import partnership_of
from consumers.console.pages.partnerships.table_form import MAPPED, TableForm, findings_of
from consumers.console.visit import Visit, Visiting
from consumers.documents.ledger.reconciliation import Finding, FindingKind
from consumers.event_index.consumer import CONSUMER as EVENT_INDEX
from consumers.ledger.over_http.calculations import ENTRIES_HERE_MAX, Raw, few_entries
from consumers.ledger.reconcile import totals
from consumers.read_api.access import money_scope
from consumers.read_api.parameters import Id
from consumers.read_api.reader import Answer, Reader
from consumers.read_api.reading import found
from consumers.revenue import read
from consumers.revenue.consumer import CONSUMER as REVENUE
from events.faults.problems import Bilingual
from infra.errors import WrongInput

_CONSUMERS: Final = (REVENUE, EVENT_INDEX)
FILE_BYTES_MAX: Final = 1 << 20
_SHOWN_MAX: Final = 200
_TOO_LARGE: Final = Bilingual("حجم الملف أكبر من ميغابايت واحد.", "The file is larger than 1 MiB.")
_NO_FILE: Final = Bilingual("اختر ملف CSV.", "Choose a CSV file.")
_UNREADABLE: Final = Bilingual("تعذرت قراءة الملف:", "The file cannot be read:")
_MANY: Final = Bilingual(
    f"للشراكة أكثر من {ENTRIES_HERE_MAX} قيد، أو فهرس الأحداث متأخر. استعمل الأمر ‎yesser ledger reconcile‎.",
    f"The partnership has more than {ENTRIES_HERE_MAX} entries, or the index of events is behind. Use the command"
    " yesser ledger reconcile.",
)
_one_at_a_time: Final = asyncio.Semaphore(1)

routes = APIRouter()
Text = Annotated[str, Form(max_length=200)]


@routes.get("/partnerships/{partnership_id}/reconcile")
async def form(visit: Visiting, partnership_id: Id) -> Response:
    return await _page(visit, partnership_id, TableForm())


@routes.post("/partnerships/{partnership_id}/reconcile")
async def reconcile(
    visit: Visiting,
    partnership_id: Id,
    table: UploadFile | None = None,
    kind: Text = "revenue.collected",
    id_column: Text = "",
    date_column: Text = "",
    amount_column: Text = "",
    amounts: Text = "riyals",
    delimiter: Text = ",",
    encoding: Text = "utf-8",
    currency_column: Text = "",
) -> Response:
    given = TableForm(kind, id_column, date_column, amount_column, amounts, delimiter, encoding, currency_column)
    content = b"" if table is None else await table.read(FILE_BYTES_MAX + 1)
    fault = _NO_FILE if not content else _TOO_LARGE if len(content) > FILE_BYTES_MAX else given.fault()
    if fault is not None:
        return await _page(visit, partnership_id, given, fault)
    entries, strangers = (await visit.ask(_entries_for, partnership_id)).document
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

    Raises `Problem` (403, 404, 503).
    """
    scope = money_scope(reader.caller)

    async def question(view: View) -> tuple[list[Raw] | None, frozenset[int]]:
        found(await read.partnership(await view.use(REVENUE), partnership_id, scope))
        entries = await few_entries(view, partnership_id)
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
