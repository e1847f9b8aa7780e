"""`/partnerships/P/reconcile`: a table of the partner or of a bank compared with the log, in three steps.

A file is chosen; how it is read is guessed, shown and corrected; it is compared. The file stays in memory for some
minutes, and the browser keeps how it was read: the next table with these columns is compared at once. Nothing is stored
here.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Final

from cachetools import TTLCache
from fastapi import APIRouter, Depends, Form, Response, UploadFile

from consumers.api.access import money_scope
from consumers.api.parameters import Id
from consumers.api.reader import ReadAnswer, Reader
from consumers.console.page_request import Visit, Visiting, only, roles_of
from consumers.console.pages.partnerships.routes import partnership_of
from consumers.documents.ledger.ledger import FindingKind
from consumers.explain.ledger.bank_table import KINDS, BankReading, Columns, Unreadable, in_words, read_and_compared
from consumers.explain.ledger.over_http.routes import ENTRIES_HERE_MAX, Raw, entries_in_scope
from consumers.explain.ledger.reconcile import SHOWN_MAX, totals
from consumers.replay.as_of.view import View
from consumers.replay.event_index.consumer import CONSUMER as EVENT_INDEX
from consumers.revenue import read
from consumers.revenue.consumer import CONSUMER as REVENUE
from events.values.bilingual import Bilingual

Number = Annotated[str, Form(max_length=6)]


@dataclass(frozen=True, slots=True)
class ColumnsForm:
    """What was said of the columns, by their places; nothing with a new file.

    `file`: which one it is said of. `read_with`: the name of the delimiter that gave these columns.
    """

    file: Annotated[str, Form(max_length=64)] = ""
    step: Annotated[str, Form(max_length=20)] = ""
    delimiter: Annotated[str, Form(max_length=20)] = ""
    read_with: Annotated[str, Form(max_length=20)] = ""
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
        if self.delimiter != self.read_with:
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
            delimiter=self.delimiter_character(),
        )

    def delimiter_character(self) -> str | None:
        return next((character for character, name in DELIMITER_NAMES.items() if name.en == self.delimiter), None)


_CONSUMERS: Final = (REVENUE, EVENT_INDEX)
FILE_BYTES_MAX: Final = 1 << 20
_LEFT_OUT_MAX: Final = 10
_FILES_MAX: Final = 32
_KEPT_S: Final = 900
COOKIE: Final = "tables"
_YEAR_S: Final = 365 * 24 * 3600
_TOO_LARGE: Final = Bilingual(
    "حجم الملف أكبر من ميغابايت واحد: قسّمه حسب الشهر، أو استعمل الأمر yesser ledger reconcile.",
    "The file is larger than 1 MiB: split it by month, or use the command yesser ledger reconcile.",
)
_OTHER_FILE: Final = Bilingual(
    "اخترت ملفًا آخر بعد هذا، أو مضت ربع ساعة: اختر الملف من جديد.",
    "You chose another file since, or a quarter of an hour has passed: choose the file again.",
)
DELIMITER_NAMES: Final = {
    ",": Bilingual("فاصلة", "Comma"),
    ";": Bilingual("فاصلة منقوطة", "Semicolon"),
    "\t": Bilingual("علامة جدولة", "Tab"),
    "|": Bilingual("خط قائم", "Vertical bar"),
}
_NO_FILE: Final = Bilingual("اختر ملف CSV أو XLSX.", "Choose a CSV or XLSX file.")
_MANY: Final = Bilingual(
    "للشراكة أكثر من {} قيد، أو فهرس الأحداث متأخر. استعمل الأمر yesser ledger reconcile.",
    "The partnership has more than {} entries, or the index of events is behind. Use the command"
    " yesser ledger reconcile.",
).format(ENTRIES_HERE_MAX)
_files: Final[TTLCache[tuple[str, str], bytes]] = TTLCache(_FILES_MAX, _KEPT_S)
"""The last table of an account for a partnership."""

routes = APIRouter(dependencies=[only(roles_of("/partnerships"))])


@routes.get("/partnerships/{partnership_id}/reconcile")
async def form(visit: Visiting, partnership_id: Id) -> Response:
    """The first step."""
    return await _page(visit, partnership_id)


@routes.post("/partnerships/{partnership_id}/reconcile")
async def compare(
    visit: Visiting, partnership_id: Id, given: Annotated[ColumnsForm, Depends()], table: UploadFile | None = None
) -> Response:
    """The second step for a new table, the third for what was said of it."""
    key = visit.account.username, partnership_id
    content = _files.get(key, b"") if table is None else await table.read(FILE_BYTES_MAX + 1)
    if fault := _fault(content, None if table is not None else given.file):
        return await _page(visit, partnership_id, fault)
    entries, strangers = (await _entries_for(visit.reader, partnership_id)).document
    if entries is None:
        return await _page(visit, partnership_id, _MANY)
    said, delimiter = (given.columns(), given.delimiter_character()) if table is None else (None, None)
    wanted = said, _kept(visit), entries, strangers, delimiter, given.step == "preview"
    work = visit.reader.reads.calculations.beside
    found = await work(visit.caller.quota_name, read_and_compared, content, *wanted)
    _files[key] = content
    delimiter = found.delimiter if isinstance(found, Unreadable) else found.table.delimiter
    read_with = DELIMITER_NAMES[delimiter].en if delimiter else ""
    if isinstance(found, Unreadable):
        file = _name_of(content) if delimiter else ""
        return await _page(visit, partnership_id, found.fault, file=file, written_with=read_with)
    answer = await _page(visit, partnership_id, found=found, file=_name_of(content), written_with=read_with)
    if said is not None and found.findings is not None:
        visit.parts.cookies.set(answer, COOKIE, urlsafe_b64encode(found.kept).decode(), _YEAR_S)
    return answer


def _fault(content: bytes, named: str | None) -> Bilingual | None:
    """Why there is no table to read. `named`: the file that a form was about; None: a new one."""
    if named and named != _name_of(content):
        return _OTHER_FILE
    if not content:
        return _NO_FILE
    return _TOO_LARGE if len(content) > FILE_BYTES_MAX else None


def _name_of(content: bytes) -> str:
    return sha256(content).hexdigest()


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
    visit: Visit,
    partnership_id: str,
    fault: Bilingual | None = None,
    found: BankReading | None = None,
    file: str = "",
    written_with: str = "",
) -> Response:
    own = await partnership_of(visit, partnership_id)
    findings = (found.findings if found is not None else None) or ()
    differing = [finding for finding in findings if finding.kind is not FindingKind.MATCHED]
    return visit.page(
        "partnerships/reconcile.html",
        200 if fault is None else 422,
        own=own,
        kinds=KINDS,
        fault=fault,
        found=found,
        file=file,
        words=found and in_words(found.table, found.columns),
        written_with=written_with,
        calendars=found and " · ".join(map(visit.words.of, found.table.calendars(found.columns))),
        preview=() if found is None else found.table.preview(found.columns),
        delimiters=DELIMITER_NAMES,
        left_out_max=_LEFT_OUT_MAX,
        shown=differing[:SHOWN_MAX],
        unshown=max(0, len(differing) - SHOWN_MAX),
        counts={kind: count for kind, count in totals(findings).items() if count},
        tab="reconcile",
    )
