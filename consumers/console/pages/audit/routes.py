"""The audit room: the state of the log, checks of all of it, anomalies, completeness, commitments, keys, witnesses."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Final, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from fastapi.responses import Response

from consumers.api.parameters import After, checked
from consumers.api.resources.entries import anomalies_for
from consumers.api.resources.proofs import log_for
from consumers.console.checks.jobs import Checks
from consumers.console.navigation import roles_of
from consumers.console.page_request import Visit, Visiting, only
from consumers.console.pages.audit import explain_pages, log_pages
from consumers.console.pages.audit.entry import verifier_of
from consumers.console.pages.audit.log_pages import PAGE_ROWS, ROOM
from consumers.console.pages.audit.values import shown
from consumers.documents.log.anomalies import Anomaly
from consumers.documents.log.checks import CheckResult
from consumers.documents.log.commitments import Claim
from consumers.documents.log.completeness import AgencyMonth
from consumers.proof.commitments.routes import commitments_for
from consumers.proof.completeness.routes import Month, months_for
from events.errors import YesserError
from events.types.contradictions import RULES
from infra.http.problems import Problem
from infra.http.routes import LOG_PREFIX
from infra.log.key_history import KeyHistory, parse_transition
from infra.log.signed_note import InvalidNote, Verifier
from infra.settings import Settings
from infra.witnesses.policy import Policy, read_policy

CHECKERS: Final = ("office", "auditor")
"""Roles that may start a check of the whole log."""
_AGENCIES_MAX: Final = 1_000

_room = APIRouter(dependencies=[only(roles_of(ROOM))])


@_room.get("/audit")
async def overview(visit: Visiting) -> Response:
    log = (await log_for(visit.reader)).document
    return visit.page(
        "audit/overview.html",
        log=log,
        jobs=checks_of(visit).latest,
        may_check=visit.account.role in CHECKERS,
        files=files_address(visit),
    )


@_room.post("/audit/checks/{kind}")
async def check(visit: Visiting, kind: Literal["log", "models"]) -> Response:
    """Start a check, unless it runs already."""
    if visit.account.role not in CHECKERS:
        raise Problem("forbidden")
    if checks_of(visit).start(kind, visit.account.username):
        await visit.parts.add_done_to_trail(visit.account.username, "check", kind)
    return visit.redirect("/audit#checks")


@_room.get("/audit/anomalies")
async def anomalies(visit: Visiting, after: After = None) -> Response:
    found = await anomalies_for(visit.reader, limit=PAGE_ROWS, after=after)
    return visit.page(
        "audit/anomalies.html",
        rows=found.document,
        document=Anomaly,
        rules=RULES,
        show=partial(shown, visit.words),
        next_page=None if found.next is None else f"/audit/anomalies?{urlencode({'after': found.next})}",
        is_first=after is None,
    )


@_room.get("/audit/completeness")
async def completeness(
    visit: Visiting, month: Annotated[str, Query(pattern=r"^([0-9]{4}-[0-9]{2})?$")] = ""
) -> Response:
    found = await months_for(visit.reader, checked(Month, month), None, _AGENCIES_MAX)
    return visit.page("audit/completeness.html", shown=found.document, document=AgencyMonth)


@_room.get("/audit/commitments")
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


@_room.get("/audit/keys")
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


routes = APIRouter()
for _part in (_room, log_pages.routes, explain_pages.routes):
    routes.include_router(_part)
