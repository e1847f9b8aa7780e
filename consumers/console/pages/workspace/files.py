"""Uploading a file: its check with every fault, sending with progress, and what was refused."""

from __future__ import annotations

import asyncio
from pathlib import PurePosixPath
from typing import Final

from fastapi import APIRouter, Response, UploadFile

from consumers.console.page_request import Visit, Visiting, attachment, csv_attachment
from consumers.console.pages.workspace.entered import Explained, explained_fault
from consumers.console.sending import uploads
from consumers.console.sending.uploads import (
    EventsTooLarge,
    NoEvents,
    RefusedLine,
    Sender,
    TooLarge,
    TooManyFiles,
    Upload,
)
from events.values.bilingual import Bilingual
from infra.command_line.table_files import csv_text
from infra.errors import WrongInput
from infra.http.problems import Problem
from infra.tables.mapping import MappingDocument, WrongMapping, mapping_of
from infra.tables.workbook import WrongTable

FILES: Final = "/workspace/files"
_SHOWN_MAX: Final = 100
_NAME_LENGTH_MAX: Final = 120
_MAPPING_BYTES_MAX: Final = 1 << 18
_COLUMNS: Final = ("line", "id", "code", "pointer", "detail_ar", "detail_en", "remedy_ar", "remedy_en", "column")
_FAULTS: Final[dict[type[WrongInput], Bilingual]] = {
    TooLarge: Bilingual(
        "الملف أكبر من 4 ميغابايت أو من 10,000 سطر. قسّمه، أو أرسله بالأمر yesser publish.",
        "The file has more than 4 MiB or 10,000 lines. Split it, or send it with `yesser publish`.",
    ),
    EventsTooLarge: Bilingual(
        "الجدول مع ملف ربطه ينتج أكثر من 16 ميغابايت من الأحداث. قسّم الجدول، أو أرسله بالأمر yesser publish.",
        "The table and its mapping make more than 16 MiB of events. Split the table, or send it with `yesser publish`.",
    ),
    NoEvents: Bilingual(
        "ليس في الملف أحداث: كل سطر كائن JSON، وللجدول ملف ربط. اختر الجدول ثانيةً واضغط «أنشئ ملف ربط».",
        "The file holds no events: each line is a JSON object, and a table needs its mapping. Choose the table again"
        " and press “Make a mapping”.",
    ),
    TooManyFiles: Bilingual(
        "يُرسل ملف آخر الآن. انتظر حتى يكتمل.", "Another file is being sent. Wait until it is done."
    ),
    WrongTable: Bilingual("الجدول غير سليم:", "The table is not well-formed:"),
    WrongMapping: Bilingual("ملف الربط لا يناسب الجدول:", "The mapping does not fit the table:"),
}
_SAYS_WHERE: Final = (WrongTable, WrongMapping)
_LOST: Final = Explained(
    "lost",
    "",
    Bilingual(
        "لم يعد في الموضوع، وليس له نتيجة تحقق: أرسله من جديد.",
        "It is not in the topic any more, and has no verdict: send it again.",
    ),
    None,
)

routes = APIRouter()


@routes.get(FILES)
async def start(visit: Visiting) -> Response:
    return _start_page(visit)


@routes.post(FILES)
async def upload(visit: Visiting, file: UploadFile | None = None, mapping: UploadFile | None = None) -> Response:
    """Check a file; nothing is sent yet."""
    if file is None or not file.filename:
        return _start_page(visit, Bilingual("اختر ملفًا.", "Choose a file."))
    sender = Sender(visit.sending, visit.caller.require_agency(), visit.words.language)
    name = _name(file.filename)
    try:
        content = await file.read(uploads.FILE_BYTES_MAX + 1)
        found = await visit.parts.uploads.check(sender, name, content, await _mapping(mapping))
    except (TooLarge, EventsTooLarge, NoEvents, TooManyFiles, WrongTable, WrongMapping) as error:
        return _start_page(visit, _FAULTS[type(error)], error.sentence if isinstance(error, _SAYS_WHERE) else None)
    return visit.redirect(f"{FILES}/{found.id}")


@routes.post(FILES + "/mapping")
async def make_mapping(visit: Visiting, file: UploadFile | None = None) -> Response:
    """A mapping to start from, for a table; nothing is kept or sent."""
    if file is None or not file.filename:
        return _start_page(visit, Bilingual("اختر ملفًا.", "Choose a file."))
    name = _name(file.filename)
    try:
        text = await visit.parts.uploads.map(await file.read(uploads.FILE_BYTES_MAX + 1), name)
    except (TooLarge, WrongTable, WrongMapping) as error:
        return _start_page(visit, _FAULTS[type(error)], error.sentence if isinstance(error, _SAYS_WHERE) else None)
    return attachment(text.encode(), "application/toml; charset=utf-8", "mapping.toml")


@routes.get(FILES + "/{upload_id}")
async def one(visit: Visiting, upload_id: str) -> Response:
    return _upload_page(visit, _found(visit, upload_id))


@routes.post(FILES + "/{upload_id}/send")
async def send(visit: Visiting, upload_id: str) -> Response:
    """Begin to send, or continue. A second click changes nothing."""
    found = _found(visit, upload_id)
    if not found.is_active and found.state != "done":
        try:
            visit.parts.uploads.require_turn(found)
            ids = await asyncio.to_thread(found.event_ids)
            # Before it begins: it goes on whatever this page says.
            await visit.add_to_trail("upload", str(found.good), event_ids=ids)
            visit.parts.uploads.send(found)
        except TooManyFiles as error:
            return _upload_page(visit, found, _FAULTS[type(error)])
    return visit.redirect(f"{FILES}/{upload_id}")


@routes.get(FILES + "/{upload_id}/refused")
async def refused_lines(visit: Visiting, upload_id: str) -> Response:
    """The refused lines as they came."""
    found = _found(visit, upload_id)
    body = await asyncio.to_thread(found.refused_file)
    is_table = found.mapping is not None
    name, media_type = ("refused.csv", "text/csv") if is_table else ("refused.ndjson", "text/plain")
    return attachment(body, f"{media_type}; charset=utf-8", name)


@routes.get(FILES + "/{upload_id}/faults.csv")
async def faults(visit: Visiting, upload_id: str) -> Response:
    """The faults of the file, of its check the first `PROBLEMS_KEPT_MAX`."""
    found = _found(visit, upload_id)
    return csv_attachment(csv_text(_COLUMNS, fault_rows(found)), "faults.csv")


def fault_rows(found: Upload) -> list[tuple[str | int, ...]]:
    """One row for each fault, by line: those of the check, then those of the gateway and the registrar."""
    faults = _of_check(found, uploads.PROBLEMS_KEPT_MAX)
    for line in found.refused:
        ids = [error.id for error in line.errors] or [None]
        faults += [(line.number, id_, fault) for id_, fault in zip(ids, explained_line(found, line), strict=True)]
    return [(line, id_ or "", one.code, one.pointer, *_texts(one), one.column) for line, id_, one in faults]


def _texts(fault: Explained) -> tuple[str, str, str, str]:
    detail, remedy = fault.detail.plain(), fault.remedy or Bilingual("", "")
    return detail.ar, detail.en, remedy.ar, remedy.en


def explained_line(found: Upload, line: RefusedLine) -> list[Explained]:
    if line.is_lost:
        return [_LOST]
    return [explained_fault(one.code, one.pointer, one.detail, found.column_of(one.pointer)) for one in line.errors]


def _of_check(found: Upload, most: int) -> list[tuple[int, str | None, Explained]]:
    """Line, id and fault, of the first faults that the check found."""
    return [
        (one["line"], one["id"], explained_fault(one["code"], one["pointer"], one["detail"], one.get("column", "")))
        for one in found.findings.problems[:most]
    ]


def _name(filename: str) -> str:
    return PurePosixPath(filename.replace("\\", "/")).name[:_NAME_LENGTH_MAX]


async def _mapping(given: UploadFile | None) -> MappingDocument | None:
    if given is None or not given.filename:
        return None
    return mapping_of(await given.read(_MAPPING_BYTES_MAX), PurePosixPath(given.filename).name)


def _found(visit: Visit, upload_id: str) -> Upload:
    """The account's file. Raises `Problem` (404): files are kept only while the console runs, and few of them."""
    found = visit.parts.uploads.find(visit.account.username, upload_id)
    if found is None:
        raise Problem("not-found")
    return found


def _start_page(visit: Visit, fault: Bilingual | None = None, where: Bilingual | None = None) -> Response:
    mine = visit.parts.uploads.of(visit.account.username)
    return visit.page("workspace/files.html", 422 if fault else 200, uploads=mine, fault=fault, where=where)


def _upload_page(visit: Visit, found: Upload, fault: Bilingual | None = None) -> Response:
    refused = sorted(found.refused, key=lambda line: line.number)[:_SHOWN_MAX]
    return visit.page(
        "workspace/upload.html",
        409 if fault else 200,
        upload=found,
        problems=_of_check(found, _SHOWN_MAX),
        refused=[(line, explained_line(found, line)) for line in refused],
        shown_max=_SHOWN_MAX,
        kept_max=uploads.PROBLEMS_KEPT_MAX,
        fault=fault,
        is_waiting=found.is_active,
    )
