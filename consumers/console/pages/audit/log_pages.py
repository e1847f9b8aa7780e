"""`/audit/log` and `/audit/entries/…`: search in the log, and an entry with its proof."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from fastapi.responses import Response

from consumers.api import parameters
from consumers.api.parameters import INTEGER_MAX, TEXT_LENGTH_MAX, After, AgencyCode, Index, checked
from consumers.api.resources.entries import RecordedFrom, RecordedTo, anomalies_for, entries_for
from consumers.api.resources.proofs import PROOF_FILE_TYPE, proof_for
from consumers.api.resources.proofs import proof_file as as_proof_file
from consumers.console.navigation import OPEN_ENTRIES, roles_of
from consumers.console.page_request import Visiting, attachment, only
from consumers.console.pages.audit.entry import entry_view, pretty, proof_state, verifier_of
from consumers.console.pages.audit.values import cut, shown
from consumers.console.pages.workspace.faults import explained
from consumers.console.web.language import western
from consumers.console.web.typed import is_day
from consumers.documents.log.entries import Entry
from events.types.catalogue import CATALOGUE
from infra.http.problems import Problem
from infra.log.merkle import leaf_hash

ROOM: Final = "/audit"
PAGE_ROWS: Final = 25
_DAY_BEGINS: Final = "T00:00:00+03:00"
_DAY_ENDS: Final = "T23:59:59.999999+03:00"
_WORDS: Final = ("agency", "type", "subject", "id", "from", "to")

routes = APIRouter()
Text = Annotated[str, Query(max_length=TEXT_LENGTH_MAX)]


@routes.get("/audit/log", dependencies=[only(roles_of(ROOM))])
async def log(
    visit: Visiting,
    agency: Text = "",
    type: Text = "",
    subject: Text = "",
    id: Text = "",
    first: Annotated[str, Query(max_length=TEXT_LENGTH_MAX, alias="from")] = "",
    last: Annotated[str, Query(max_length=TEXT_LENGTH_MAX, alias="to")] = "",
    after: After = None,
) -> Response:
    given = dict(zip(_WORDS, map(str.strip, (agency, type, subject, id, first, last)), strict=True))
    faults = faults_of(given)
    rows: list[Entry] = []
    following = None
    if not faults:
        try:
            found = await entries_for(visit.reader, **asked_of(given), newest_first=True, limit=PAGE_ROWS, after=after)
        except Problem as error:
            if error.status not in (403, 422):
                raise
            faults["search"] = error.code
        else:
            rows, following = found.document, found.next
    kept = {name: value for name, value in given.items() if value}
    return visit.page(
        "audit/log.html",
        422 if faults else 200,
        given=given,
        faults={**dict.fromkeys((*_WORDS, "search"), ""), **faults},
        is_faulty=bool(faults),
        rows=rows,
        document=Entry,
        types=CATALOGUE,
        is_searched=bool(kept) or after is not None,
        next_page=None if following is None else f"/audit/log?{urlencode({**kept, 'after': following})}",
        first_page=f"/audit/log?{urlencode(kept)}" if after is not None else None,
    )


@routes.get("/audit/entries", dependencies=[only(roles_of(ROOM))])
async def entry_by_number(visit: Visiting, index: Annotated[str, Query(max_length=24)] = "") -> Response:
    """The form of the explorer that asks for one entry."""
    number = western(index.strip()).replace(",", "")
    if number.isdecimal() and number.isascii() and int(number) <= INTEGER_MAX:
        return visit.redirect(f"/audit/entries/{int(number)}")
    return visit.redirect("/audit/log")


@routes.get("/audit/entries/{index}", dependencies=[only(OPEN_ENTRIES)])
async def entry(visit: Visiting, index: Index) -> Response:
    proof = (await proof_for(visit.reader, index)).document
    raw = proof.entry.encode()
    verifier = verifier_of(visit.parts.settings)
    view = entry_view(index, raw)
    anomalies = []
    if visit.account.role in roles_of(ROOM):
        anomalies = (await anomalies_for(visit.reader, index=index)).document
    return visit.page(
        "audit/entry.html",
        index=index,
        view=view,
        entry=None if view is None else view.entry,
        types=CATALOGUE,
        document=Entry,
        leaf=leaf_hash(raw).hex(),
        proof=proof_state(proof, verifier),
        vkey=None if verifier is None else verifier.vkey,
        whole=cut(visit.words, pretty(raw)),
        anomalies=anomalies,
        faults=[] if view is None else explained(view.errors),
        show=partial(shown, visit.words),
        may_search=visit.account.role in roles_of(ROOM),
    )


@routes.get("/audit/entries/{index}/proof", dependencies=[only(OPEN_ENTRIES)])
async def proof_file(visit: Visiting, index: Index) -> Response:
    """The C2SP tlog-proof, as a file."""
    text = as_proof_file((await proof_for(visit.reader, index)).document)
    return attachment(text.encode(), PROOF_FILE_TYPE, f"{index}.tlog-proof")


def faults_of(given: Mapping[str, str]) -> dict[str, str]:
    """Field → what is wrong with it, by a word."""
    faults = {name: "date" for name in ("from", "to") if given[name] and not is_day(given[name])}
    if given["type"] and given["type"] not in CATALOGUE:
        faults["type"] = "type"
    if not faults and given["from"] and given["to"] and given["from"] > given["to"]:
        faults["to"] = "order"
    return faults


def asked_of(given: Mapping[str, str]) -> dict[str, Any]:
    """What is searched for, as `entries_for` takes it: from the first day to the last one of Riyadh.

    Raises `Problem` (422).
    """
    texts = {name: checked(parameters.Text, given[name]) for name in ("subject", "type", "id")}
    first, last = given["from"] and given["from"] + _DAY_BEGINS, given["to"] and given["to"] + _DAY_ENDS
    recorded = {"recorded_from": checked(RecordedFrom, first), "recorded_to": checked(RecordedTo, last)}
    return {**texts, "agency": checked(AgencyCode, given["agency"]), **recorded}
