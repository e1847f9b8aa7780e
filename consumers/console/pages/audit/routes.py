"""The audit room: the state of the log, search in it, an entry with its proof, checks of all of it, anomalies,
completeness, commitments, keys, witnesses; and `/explain/MODEL/KEY/FIELD`: how a figure follows, and the entries behind
it.
"""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any, Final, Literal
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import HTMLResponse
from msgspec import UNSET

from consumers.api import parameters
from consumers.api.parameters import INTEGER_MAX, TEXT_LENGTH_MAX, After, AgencyCode, AsOfIndex, Index, checked
from consumers.api.resources.entries import RecordedFrom, RecordedTo, anomalies_for, entries_for
from consumers.api.resources.proofs import PROOF_FILE_TYPE, log_for, proof_for
from consumers.api.resources.proofs import proof_file as as_proof_file
from consumers.console.checks.jobs import Checks
from consumers.console.data.read_api import changed_row_of
from consumers.console.page_request import OPEN_ENTRIES, Visit, Visiting, attachment, only, roles_of
from consumers.console.pages.audit.entry import (
    change,
    cut,
    entry_view,
    exact_money,
    formula_line,
    pretty,
    proof_state,
    shown,
    verifier_of,
)
from consumers.console.pages.workspace.entered import explained
from consumers.console.web.language import is_day, number_text
from consumers.documents.ledger.ledger import kind_of
from consumers.documents.ledger.statements import BandShare
from consumers.documents.log.commitments import CheckResult, Claim
from consumers.documents.log.entries import AgencyMonth, Anomaly, Entry, Proof
from consumers.documents.log.explanations import Explanation, Step
from consumers.explain import renderings as names
from consumers.explain.over_http.routes import PROGRAMME, Check, explained_for, partnership_of, split_figure
from consumers.explain.shown_models import models
from consumers.proof.commitments.routes import commitments_for
from consumers.proof.completeness.routes import Month, months_for
from consumers.revenue.statements.words import band_text
from events.errors import YesserError
from events.types.catalogue import CATALOGUE
from events.types.contradictions import RULES
from infra.http.problems import Problem
from infra.http.routes import LOG_PREFIX
from infra.log.key_history import KeyHistory, parse_transition
from infra.log.merkle import leaf_hash
from infra.log.signed_note import InvalidNote, Verifier
from infra.settings import Settings
from infra.witnesses.policy import Policy, read_policy

ROOM: Final = "/audit"
CHECKERS: Final = ("office", "auditor")
"""Roles that may start a check of the whole log."""
_AGENCIES_MAX: Final = 1_000
_PROOF_TRIES: Final = 12
_PROOF_PAUSE_S: Final = 0.25
"""Three seconds in all: the log is signed at most once a second."""

_IN_ROOM: Final = [only(roles_of(ROOM))]
routes = APIRouter()


@routes.get("/audit", dependencies=_IN_ROOM)
async def overview(visit: Visiting) -> Response:
    log = (await log_for(visit.reader)).document
    return visit.page(
        "audit/overview.html",
        log=log,
        jobs=checks_of(visit).latest,
        may_check=visit.account.role in CHECKERS,
        files=files_address(visit),
    )


@routes.post("/audit/checks/{kind}", dependencies=_IN_ROOM)
async def check(visit: Visiting, kind: Literal["log", "models"]) -> Response:
    """Start a check, unless it runs already."""
    if visit.account.role not in CHECKERS:
        raise Problem("forbidden")
    if checks_of(visit).start(kind, visit.account.username):
        await visit.parts.add_done_to_trail(visit.account.username, "check", kind)
    return visit.redirect("/audit#checks")


@routes.get("/audit/anomalies", dependencies=_IN_ROOM)
async def anomalies(visit: Visiting, after: After = None) -> Response:
    found = await anomalies_for(visit.reader, limit=PAGE_ROWS, after=after)
    return visit.page(
        "audit/anomalies.html",
        rows=found.document,
        document=Anomaly,
        rules=RULES,
        claimed_name=names.claimed_name,
        known_name=names.known_name,
        code_kinds=names.CODES,
        worded=names.worded,
        show=partial(shown, visit.words),
        next_page=None if found.next is None else f"/audit/anomalies?{urlencode({'after': found.next})}",
        is_first=after is None,
    )


@routes.get("/audit/completeness", dependencies=_IN_ROOM)
async def completeness(
    visit: Visiting, month: Annotated[str, Query(pattern=r"^([0-9]{4}-[0-9]{2})?$")] = ""
) -> Response:
    found = await months_for(visit.reader, checked(Month, month), None, _AGENCIES_MAX)
    return visit.page("audit/completeness.html", shown=found.document, document=AgencyMonth)


@routes.get("/audit/commitments", dependencies=_IN_ROOM)
async def commitments(visit: Visiting) -> Response:
    if visit.account.role not in CHECKERS:
        raise Problem("not-found")
    rows = (await commitments_for(visit.reader)).document
    job = checks_of(visit).latest.get("models")
    result = (job and job.result) or CheckResult(ok=None)
    return visit.page(
        "audit/commitments.html",
        rows=rows,
        document=Claim,
        job=job,
        status_of={(row.name, row.log_index): row.status for row in result.commitments},
        differing={row.name: row.differing for row in result.models},
    )


@routes.get("/audit/keys", dependencies=_IN_ROOM)
async def keys(visit: Visiting) -> Response:
    log = (await log_for(visit.reader)).document
    verifier = verifier_of(visit.parts.settings)
    return visit.page(
        "audit/keys.html",
        log=log,
        verifier=verifier,
        keys=history_of(verifier, log.rotations),
        policy=policy_of(visit.parts.settings),
    )


def checks_of(visit: Visit) -> Checks:
    """The checks of this process."""
    state = visit.request.app.state
    if not hasattr(state, "checks"):
        state.checks = Checks(visit.parts.settings, visit.parts.clock)
    found: Checks = state.checks
    return found


def history_of(verifier: Verifier | None, rotations: Sequence[str]) -> list[tuple[Verifier, int]] | None:
    """The log's keys, the first one first, each with the size from which on it signs. None where they do not hold, or
    do not lead to the verifier's key in its own name; empty where they are those of a log of another name."""
    if verifier is None:
        return None
    try:
        steps = [*map(parse_transition, rotations)]
        history = KeyHistory.of(steps[0].old if steps else verifier, steps)
    except InvalidNote:
        return None
    if verifier not in history.keys:
        return None if history.current.name == verifier.name else []
    return list(zip(history.keys, [0, *(step.size for step in history.transitions)], strict=True))


def policy_of(settings: Settings) -> Policy | None:
    """Who must cosign, where this machine has the file."""
    try:
        return None if settings.witness_policy is None else read_policy(settings.witness_policy)
    except (OSError, YesserError):
        return None


def files_address(visit: Visit) -> str | None:
    """Where readers find the log's files: the public address, on a machine without one that of the gateway here; None
    while that is not known."""
    try:
        public = visit.parts.settings.public_address or visit.parts.gateway.address()
        return public.rstrip("/") + LOG_PREFIX
    except YesserError:
        return None


PAGE_ROWS: Final = 25
_DAY_BEGINS: Final = "T00:00:00+03:00"
_DAY_ENDS: Final = "T23:59:59.999999+03:00"
_WORDS: Final = ("agency", "type", "subject", "id", "from", "to")

Text = Annotated[str, Query(max_length=TEXT_LENGTH_MAX)]


@routes.get("/audit/log", dependencies=_IN_ROOM)
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


@routes.get("/audit/entries", dependencies=_IN_ROOM)
async def entry_by_number(visit: Visiting, index: Annotated[str, Query(max_length=24)] = "") -> Response:
    """The form of the explorer that asks for one entry."""
    number = number_text(index)
    if number.isdecimal() and number.isascii() and int(number) <= INTEGER_MAX:
        return visit.redirect(f"/audit/entries/{int(number)}")
    return visit.redirect("/audit/log")


@routes.get("/audit/entries/{index}", dependencies=[only(OPEN_ENTRIES)])
async def entry(visit: Visiting, index: Index) -> Response:
    proof = await _signed_proof(visit, index)
    raw = proof.entry.encode()
    verifier = verifier_of(visit.parts.settings)
    view = entry_view(index, proof.shown)
    anomalies = []
    if visit.account.role in roles_of(ROOM):
        anomalies = (await anomalies_for(visit.reader, index=index)).document
    return visit.page(
        "audit/entry.html",
        index=index,
        rules=RULES,
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
        withheld=[text for text in proof.kept_texts if text.withheld_by is not UNSET],
        show=partial(shown, visit.words),
        may_search=visit.account.role in roles_of(ROOM),
    )


@routes.get("/audit/entries/{index}/proof", dependencies=[only(OPEN_ENTRIES)])
async def proof_file(visit: Visiting, index: Index) -> Response:
    """The C2SP tlog-proof, as a file."""
    text = as_proof_file(await _signed_proof(visit, index))
    return attachment(text.encode(), PROOF_FILE_TYPE, f"{index}.tlog-proof")


async def _signed_proof(visit: Visit, index: int) -> Proof:
    """The proof of an entry, waiting until it is signed: its page is linked once it is registered, a moment earlier.

    Raises `Problem`.
    """
    for _ in range(_PROOF_TRIES - 1):
        try:
            return (await proof_for(visit.reader, index)).document
        except Problem as problem:
            if problem.status != 404 or "Retry-After" not in problem.headers:
                raise
        await asyncio.sleep(_PROOF_PAUSE_S)
    return (await proof_for(visit.reader, index)).document


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


PAGE_STEPS: Final = 20
_KEY_MAX: Final = 400
TERMS_MAX: Final = 8
"""Terms of a sum that are written out."""


@routes.get("/explain/{model}/{key:path}")
async def explain(
    visit: Visiting,
    model: Annotated[str, Path(max_length=64)],
    key: Annotated[str, Path(max_length=_KEY_MAX)],
    before: AsOfIndex = None,
) -> Response:
    if not visit.opens_entries and (model not in PROGRAMME or partnership_of(model, key) is not None):
        raise Problem("forbidden")
    return await figure_page(visit, model, key, before)


async def figure_page(
    visit: Visit, model: str, key: str, before: int | None = None, check: Check | None = None
) -> Response:
    """Why a figure is what it is; `key`: KEY or KEY/FIELD."""
    try:
        asked = explained_for(visit.reader, model, key, PAGE_STEPS, before, derives=True, check=check)
        found = (await asked).document
    except Problem as error:
        shown_instead = _not_explained(visit, error, model, key)
        if shown_instead is None:
            raise
        return shown_instead
    document, derivation = found.document, found.derivation
    derived = None if document.field is None else derivation.figures.get(document.field)
    earlier, verifier = document.before, verifier_of(visit.parts.settings)
    address = quote(visit.request.url.path)
    return visit.page(
        "audit/explain.html",
        heading=_heading(visit, model, document.key, document.field),
        document=document,
        step_document=Step,
        derivation=derivation,
        derived=derived,
        formula="" if derived is None else formula_line(derived),
        shares=derivation.shares if document.field == "partner_base_halalas" else (),
        band=BandShare,
        band_words=band_text,
        exact=partial(exact_money, visit.words),
        kind_of=kind_of,
        terms=terms_of(document) if before is None else None,
        show=partial(shown, visit.words),
        change=partial(change, visit.words),
        name_of=partial(names.field_name, model),
        code_kinds=names.CODES,
        worded=names.worded,
        address=address,
        figure_address=f"/explain/{quote(model, safe='')}/{quote(document.key)}",
        before=before,
        earlier_page=None if earlier is None else f"{address}?before={earlier}",
        vkey=None if verifier is None else verifier.vkey,
    )


def _heading(visit: Visit, model: str, key: str, field: str | None) -> dict[str, object]:
    """What a page about a figure says first. `command` gives the same answer."""
    title, rest = names.title_of(model, key)
    label = None if field is None else names.field_name(model, field)
    words = visit.words
    plain = " ".join(filter(None, (words.of(title) if title else model, rest, words.of(label) if label else field)))
    command = shlex.join(["yesser", "audit", "explain", model, key, *([] if field is None else [field])])
    subject = names.subject_of(model, key)
    names_of_figure = {"model": model, "title": title, "subject": subject, "rest": rest, "field": field}
    return {**names_of_figure, "figure_name": label, "plain": plain, "command": command}


def terms_of(document: Explanation) -> list[int] | None:
    """The changes of a number, if one figure is explained and has few enough steps, all of them known; else None."""
    field = document.field
    if field is None or document.earlier is not None or len(document.steps) > TERMS_MAX:
        return None
    amounts = [step.changes[field].amount for step in document.steps]
    terms = [amount for amount in amounts if amount is not None]
    return terms if terms and len(terms) == len(amounts) else None


def _not_explained(visit: Visit, error: Problem, model: str, path: str) -> HTMLResponse | None:
    """A page for a figure that a changed entry, or too much work, keeps from being explained; else None."""
    changed = changed_row_of(error.errors)
    found = models().get(model)
    if found is None or (changed is None and error.code not in ("overloaded", "too-many-requests")):
        return None
    index = None if changed is None or "id" not in changed else int(changed["id"])
    return visit.page(
        "audit/not-explained.html",
        error.status,
        heading=_heading(visit, model, *split_figure(found, path)),
        is_changed=changed is not None,
        index=index,
    )
