"""The OpenAPI schemas of the read API's answers. A test compares real answers with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from consumers.documents.campaigns.campaigns import Campaign, CampaignAndHistory, InboxCounts, InboxItem
from consumers.documents.campaigns.coverage import Coverage
from consumers.documents.campaigns.evaluations import CampaignExplanation
from consumers.documents.ledger.ledger import Balances, Transfers
from consumers.documents.ledger.partnerships import Partnership, PartnershipAndTerms
from consumers.documents.ledger.statements import Statement
from consumers.documents.log.anomalies import Anomaly
from consumers.documents.log.checkpoints import Consistency, LogState
from consumers.documents.log.entries import Entry, Proof, Refusal
from consumers.documents.openapi import schema_of
from consumers.documents.programme.activity import Activity
from consumers.documents.programme.plan import Pace, Plan
from consumers.documents.programme.projects import Project, ProjectAndHistory
from consumers.documents.programme.services import Service, ServiceAndHistory
from infra.http.documents import INTEGER, TEXT, Schema, answer, problems

PLAN: Final = answer(
    "The shape of `yesser plan --json`; `partnerships_count` with `partnerships_max` only.", schema_of(Plan)
)
PACE: Final = answer("The plan against the calendar.", schema_of(Pace))
SERVICES: Final = answer("Services by id.", schema_of(list[Service]))
SERVICE: Final = answer("A service and its history.", schema_of(ServiceAndHistory))
PROJECTS: Final = answer("Projects by id.", schema_of(list[Project]))
PROJECT: Final = answer("A project, its phases and its history.", schema_of(ProjectAndHistory))
CAMPAIGNS: Final = answer("The shape of `yesser campaigns list --json`.", schema_of(list[Campaign]))
INBOX: Final = answer("The campaigns asked for, each with its next step.", schema_of(list[InboxItem]))
COUNTS: Final = answer(
    "How many there are, are overdue, are paused, and wait for each next step.", schema_of(InboxCounts)
)
COVERAGE: Final = answer("The shape of `yesser campaigns coverage --json`, a page of services.", schema_of(Coverage))
CAMPAIGN: Final = answer(
    "A campaign, its brief, its reason, its airings and its history.", schema_of(CampaignAndHistory)
)
EXPLANATION: Final = answer(
    "What the rules decided, and sentences on what happened to the campaign.", schema_of(CampaignExplanation)
)
PARTNERSHIPS: Final = answer("Partnerships by id.", schema_of(list[Partnership]))
PARTNERSHIP: Final = answer("A partnership and its terms.", schema_of(PartnershipAndTerms))
STATEMENTS: Final = answer("Statements by period.", schema_of(list[Statement]))
STATEMENT: Final = answer("The shape of `yesser ledger statement --json`.", schema_of(Statement))
TRANSFERS: Final = answer("The shape of `yesser ledger transfers --json`, in log order.", schema_of(Transfers))
BALANCES: Final = answer("The shape of `yesser ledger balances --json`.", schema_of(Balances))
ANOMALIES: Final = answer("The shape of `yesser anomalies --json`.", schema_of(list[Anomaly]))
ACTIVITY: Final = answer(
    "What was accepted, by full type, and refused, by agency.",
    schema_of(list[Activity]),
)
ENTRIES: Final = answer("Where events are in the log, in log order.", schema_of(list[Entry]))
REFUSALS: Final = answer("Refusals, the newest first.", schema_of(list[Refusal]))
REFUSAL: Final = answer("A refusal with every fault that its entry lists.", schema_of(Refusal))
PROOF: Final = answer(
    "Hashes are base64; the checkpoint is a C2SP signed note, and so is each rotation of the log's key.",
    schema_of(Proof),
)
LOG: Final = answer(
    "Rotations are C2SP signed notes; `cosigned` is null where the log has no witnesses.", schema_of(LogState)
)
CONSISTENCY: Final = answer("Hashes are base64.", schema_of(Consistency))

_LOG_INDEX: Final = {"description": "Entries applied to what is shown.", "schema": INTEGER}
_TAG: Final = {"description": "Send it as If-None-Match: 304 while nothing has changed.", "schema": TEXT}
_FILE: Final = {"description": "Of the text: the name to save it under.", "schema": TEXT}
_LINK: Final = {"description": "The address of the next page (RFC 8288), if there is one.", "schema": TEXT}


def responses(document: Schema, *, paged: bool = False, csv: bool = False) -> dict[int | str, Schema]:
    """`csv`: also as `text/csv`, for a client that prefers it."""
    if csv:
        document = {**document, "content": {**document["content"], "text/csv": {"schema": TEXT}}}
    headers = {"Log-Index": _LOG_INDEX, "ETag": _TAG, **({"Link": _LINK} if paged else {})}
    return {
        200: {**document, "headers": headers},
        304: {"description": "Not modified."},
        **problems(400, 401, 403, 404, 422, 429, 503),
    }


def in_formats(document: Schema, formats: Mapping[str, Any]) -> Schema:
    """A document that other media types show too; `formats` have a `media_type` each."""
    binary: Schema = {"schema": {"type": "string", "format": "binary"}}
    others = {known.media_type: binary for known in formats.values()}
    return {**document, "content": {**document["content"], **others}}


def in_text(document: Schema, media_type: str) -> Schema:
    """A document that a client can have as a text too, to save under a name."""
    content = {**document["content"], media_type: {"schema": TEXT}}
    return {**document, "content": content, "headers": {"Content-Disposition": _FILE}}


def plain(document: Schema) -> dict[int | str, Schema]:
    """Without an entity tag: what grows with the log."""
    return {200: document, **problems(400, 401, 403, 404, 422, 429, 503)}
