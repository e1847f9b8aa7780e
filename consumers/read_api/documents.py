"""The OpenAPI schemas of the read API's answers. A test compares real answers with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from consumers.documents.activity import Activity
from consumers.documents.anomalies import Anomaly
from consumers.documents.campaigns import Campaign, CampaignAndHistory, InboxCounts, InboxItem
from consumers.documents.coverage import Coverage
from consumers.documents.entries import Entry, Proof, Refusal
from consumers.documents.evaluations import CampaignExplanation
from consumers.documents.openapi import schema_of
from consumers.documents.plan import Pace, Plan
from consumers.documents.projects import Project, ProjectAndHistory
from consumers.documents.services import Service, ServiceAndHistory
from consumers.revenue.transfer_rules import RULE_OF_KIND
from infra.http.documents import INTEGER, TEXT, answer, problems, shape

Schema = dict[str, Any]

_HALALAS: Final[Schema] = {"type": "integer", "description": "Whole halalas."}
_YES_OR_NO: Final[Schema] = {"type": "boolean"}
_DATE: Final[Schema] = {"type": "string", "format": "date"}
_PERIOD: Final[Schema] = {"type": "string", "description": "A month (`1426-03`) or a quarter (`2005-Q1`)."}
_OBJECT: Final[Schema] = {"type": "object"}
_NAME: Final = shape(ar=TEXT, en=TEXT)


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _one_of(*values: str) -> Schema:
    return {"type": "string", "enum": list(values)}


_PARTNERSHIP: Final[dict[str, Schema]] = {
    "partnership_id": TEXT,
    "agency": TEXT,
    "partner": shape(partner_id=TEXT, name=_NAME),
    "services": _list(TEXT),
    "legal_basis": _NAME,
    "signed_on": _DATE,
    "starts_on": _DATE,
    "ends_on": _DATE,
    "terminated_on": _or_null(_DATE),
    "calendar": _one_of("gregorian", "umm-al-qura"),
    "period": _one_of("month", "quarter"),
    "tier_basis": _one_of("lifetime", "contract-year"),
    "first_period": _PERIOD,
    "last_period": _PERIOD,
    "closed_through": _or_null(_PERIOD),
    "open_period": _or_null(_PERIOD),
    "payable_halalas": _HALALAS,
    "top_up_outstanding_halalas": _HALALAS,
    "first_index": INTEGER,
    "last_index": INTEGER,
}
_VERSIONS: Final = _list(
    shape(version=INTEGER, effective_from=_PERIOD, terms=_OBJECT, reason=_or_null(_NAME), index=INTEGER)
)
_STATEMENT: Final = shape(
    partnership_id=TEXT,
    period=_PERIOD,
    contract_version=INTEGER,
    **{
        f"{figure}_halalas": _HALALAS
        for figure in (
            *("opening_cumulative", "collected", "reversed", "net", "prior_period", "closing_cumulative"),
            *("partner_base", "guarantee", "top_up", "recovered", "top_up_outstanding"),
            *("partner_total", "treasury_total", "expected"),
        )
    },
    first_index=_or_null(INTEGER),
    last_index=_or_null(INTEGER),
    closing_index=INTEGER,
)
TRANSFER: Final = shape(
    index=INTEGER, line=INTEGER, kind=TEXT, period=_or_null(_PERIOD), debit=TEXT, credit=TEXT, amount_halalas=_HALALAS,
    contract_version=_or_null({**INTEGER, "description": "That priced it; null for a payout."}),
    window=_or_null({**INTEGER, "description": "0 for the whole life, else the contract year; null if not priced."}),
    rule={**_one_of(*sorted({*RULE_OF_KIND.values()})), "description": "Of the revenue share, by its number."},
)  # fmt: skip
_TRANSFERS: Final = shape(log_index=INTEGER, partnership_id=TEXT, transfers=_list(TRANSFER))
_ACCOUNT: Final = shape(account=TEXT, debits_halalas=_HALALAS, credits_halalas=_HALALAS, balance_halalas=_HALALAS)
_BALANCES: Final = shape(log_index=INTEGER, accounts=_list(_ACCOUNT))
PLAN: Final = answer(
    "The shape of `yesser plan --json`; `partnerships_count` with `partnerships_max` only.", schema_of(Plan)
)
PACE: Final = answer("The plan against the calendar.", schema_of(Pace))
SERVICES: Final = answer("Services by id.", _list(schema_of(Service)))
SERVICE: Final = answer("A service and its history.", schema_of(ServiceAndHistory))
PROJECTS: Final = answer("Projects by id.", _list(schema_of(Project)))
PROJECT: Final = answer("A project, its phases and its history.", schema_of(ProjectAndHistory))
CAMPAIGNS: Final = answer("The shape of `yesser campaigns list --json`.", _list(schema_of(Campaign)))
INBOX: Final = answer("The campaigns asked for, each with its next step.", _list(schema_of(InboxItem)))
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
PARTNERSHIPS: Final = answer("Partnerships by id.", _list(shape(**_PARTNERSHIP)))
PARTNERSHIP: Final = answer("A partnership and its terms.", shape(**_PARTNERSHIP, versions=_VERSIONS))
STATEMENTS: Final = answer("Statements by period.", _list(_STATEMENT))
STATEMENT: Final = answer("The shape of `yesser ledger statement --json`.", _STATEMENT)
TRANSFERS: Final = answer("The shape of `yesser ledger transfers --json`, in log order.", _TRANSFERS)
BALANCES: Final = answer("The shape of `yesser ledger balances --json`.", _BALANCES)
ANOMALIES: Final = answer("The shape of `yesser anomalies --json`.", _list(schema_of(Anomaly)))
ACTIVITY: Final = answer(
    "What was accepted, by full type, and refused, by agency.",
    _list(schema_of(Activity)),
)
ENTRIES: Final = answer("Where events are in the log, in log order.", _list(schema_of(Entry)))
REFUSALS: Final = answer("Refusals, the newest first.", _list(schema_of(Refusal)))
REFUSAL: Final = answer("A refusal with every fault that its entry lists.", schema_of(Refusal))
PROOF: Final = answer(
    "Hashes are base64; the checkpoint is a C2SP signed note, and so is each rotation of the log's key.",
    schema_of(Proof),
)
_CHECKPOINT: Final = _or_null(
    shape(
        size=INTEGER,
        note={**TEXT, "description": "A C2SP signed note."},
        signed=_or_null({**TEXT, "description": "When it was stored, by the database's clock."}),
        signatures=_list(
            shape(name=TEXT, key_id=TEXT, is_cosignature=_YES_OR_NO, cosigned=_or_null(TEXT)),
        ),
    )
)
LOG: Final = answer(
    "Rotations are C2SP signed notes; `cosigned` is null where the log has no witnesses.",
    shape(size=INTEGER, recorded=_or_null(TEXT), checkpoint=_CHECKPOINT, cosigned=_CHECKPOINT, rotations=_list(TEXT)),
)
CONSISTENCY: Final = answer("Hashes are base64.", shape(old_size=INTEGER, new_size=INTEGER, path=_list(TEXT)))

_LOG_INDEX: Final = {"description": "Entries applied to what is shown.", "schema": INTEGER}
_TAG: Final = {"description": "Send it as If-None-Match: 304 while nothing has changed.", "schema": TEXT}
_FILE: Final = {"description": "Of the text: the name to save it under.", "schema": TEXT}
_LINK: Final = {"description": "The address of the next page (RFC 8288), if there is one.", "schema": TEXT}


def responses(document: Schema, *, paged: bool = False, csv: bool = False) -> dict[int | str, dict[str, Any]]:
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


def plain(document: Schema) -> dict[int | str, dict[str, Any]]:
    """Without an entity tag: what grows with the log."""
    return {200: document, **problems(400, 401, 403, 404, 422, 429, 503)}
