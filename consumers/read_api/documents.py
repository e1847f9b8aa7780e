"""The OpenAPI schemas of the read API's answers. A test compares real answers with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from consumers.documents.ledger import Balance, Transfer
from consumers.documents.openapi import schema_of
from consumers.documents.partnerships import Partnership, PartnershipAndTerms
from consumers.documents.plan import Aired, Pace, Plan
from consumers.documents.projects import Project, ProjectAndHistory
from consumers.documents.services import Service, ServiceAndHistory
from consumers.documents.statements import Statement
from infra.http.documents import INTEGER, TEXT, answer, problems, shape

Schema = dict[str, Any]

_YES_OR_NO: Final[Schema] = {"type": "boolean"}
_DATE: Final[Schema] = {"type": "string", "format": "date"}
_OBJECT: Final[Schema] = {"type": "object"}
_PROOF_LINK: Final[Schema] = {"type": "string", "format": "uri-reference", "description": "Of the entry's proof."}
_NAME: Final = shape(ar=TEXT, en=TEXT)


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _one_of(*values: str) -> Schema:
    return {"type": "string", "enum": list(values)}


def _map(values: Schema) -> Schema:
    return {"type": "object", "additionalProperties": values}


_AIRED: Final = schema_of(Aired)
_CAMPAIGN: Final[dict[str, Schema]] = {
    "campaign_id": TEXT,
    "rule": TEXT,
    "kind": _one_of("specific", "general"),
    "cause_index": INTEGER,
    "owner": TEXT,
    "service_id": _or_null(TEXT),
    "channels": _list(TEXT),
    "due_on": _DATE,
    "state": _one_of("triggered", "acknowledged", "completed"),
    "paused": _YES_OR_NO,
    "escalated": _YES_OR_NO,
    "aired": _AIRED,
    "reach": INTEGER,
}
_CHANNELS: Final = _list(_one_of("tv", "radio", "print"))
_TO_DO: Final[dict[str, Schema]] = {
    "due_on_hijri": _or_null(TEXT),
    "missing_channels": {**_CHANNELS, "description": "Without an airing yet."},
    "next_action": _or_null(_one_of("acknowledge", "air", "complete")),
    "acknowledged_index": _or_null(INTEGER),
    "acknowledged_by": _or_null(TEXT),
    "acknowledged_at": _or_null(TEXT),
    "brief": _NAME,
    "service": _or_null(
        shape(
            service_id=TEXT,
            name=_NAME,
            url=_or_null(TEXT),
            launched_on=_or_null(_DATE),
            channels=_or_null(_list(TEXT)),
        )
    ),
}
_STEP: Final = shape(
    index=INTEGER,
    recorded=TEXT,
    type=TEXT,
    agency=TEXT,
    by=_or_null(TEXT),
    airing_id=_or_null(TEXT),
    channel=_or_null(TEXT),
    reach=_or_null(INTEGER),
    anomaly=_or_null({**TEXT, "description": "Why the entry changed nothing."}),
)
_DECISION: Final[dict[str, Schema]] = {
    **_TO_DO,
    "rules_version": INTEGER,
    "reason": _NAME,
    "urgency": {**TEXT, "enum": ["normal", "high"]},
    "triggered_index": INTEGER,
    "completed_index": _or_null(INTEGER),
    "airings": _or_null(
        {
            **_list(shape(airing_id=TEXT, index=INTEGER, channel=TEXT, outlet=_NAME, aired_on=_DATE, reach=INTEGER)),
            "description": "Null where the campaign is another agency's.",
        }
    ),
    "history": _or_null({**_list(_STEP), "description": "Null where the campaign is another agency's."}),
    "more_history": {
        **_YES_OR_NO,
        "description": "Whether there are entries beyond the 1,000 of `history`: those that changed nothing are left "
        "out first, then the oldest.",
    },
}
_DAYS: Final = _or_null({"type": "integer", "description": "From the launch; negative before it."})
_CHANNEL_COVERAGE: Final = shape(
    airings=INTEGER, reach=INTEGER, first_aired_on=_or_null(_DATE), days_to_first_airing=_DAYS
)
_SERVICE_COVERAGE: Final = shape(
    service_id=TEXT,
    name=_NAME,
    agency=TEXT,
    plan_id=TEXT,
    group=INTEGER,
    launched_on=_or_null(_DATE),
    launched_index=INTEGER,
    channels=shape(tv=_CHANNEL_COVERAGE, radio=_CHANNEL_COVERAGE, print=_CHANNEL_COVERAGE),
    airings=INTEGER,
    reach=INTEGER,
    first_aired_on=_or_null(_DATE),
    days_to_first_airing=_DAYS,
    missing_channels=_CHANNELS,
    silent={**_YES_OR_NO, "description": "Launched, and never aired."},
)
_COVERAGE_FIGURES: Final[dict[str, Schema]] = {
    "launched_services": INTEGER,
    "on_all_three": INTEGER,
    "silent": INTEGER,
    "airings": INTEGER,
    "reach": INTEGER,
    "aired": _AIRED,
    "median_days_to_first_airing": _DAYS,
}
_COVERAGE: Final = shape(
    log_index=INTEGER,
    services=_list(_SERVICE_COVERAGE),
    agencies=_list(shape(agency=TEXT, **_COVERAGE_FIGURES)),
    total=shape(**_COVERAGE_FIGURES),
)
_TRANSFERS: Final = shape(log_index=INTEGER, partnership_id=TEXT, transfers=_list(schema_of(Transfer)))
_BALANCES: Final = shape(log_index=INTEGER, accounts=_list(schema_of(Balance)))
_ANOMALY: Final = shape(
    index=INTEGER, found_index=INTEGER, rule=TEXT, type=TEXT, subject=TEXT, agency=TEXT, claimed=_OBJECT, known=_OBJECT
)
_COUNTED: Final = shape(count=INTEGER, first_index=INTEGER, last_index=INTEGER)
_ENTRY: Final = shape(
    index=INTEGER, id=TEXT, source=TEXT, type=TEXT, subject=TEXT, agency=TEXT, time=TEXT, proof=_PROOF_LINK
)
_REFUSAL: Final = shape(
    index=INTEGER,
    agency=TEXT,
    address={"type": "string", "description": "Of the refused record: topic/partition/offset."},
    claimed_id=_or_null(TEXT),
    claimed_type=_or_null(TEXT),
    errors=_list(shape(code=TEXT, pointer=TEXT, detail=TEXT)),
    accepted_index=_or_null({**INTEGER, "description": "Of the entry that corrected it."}),
    proof=_PROOF_LINK,
)

PLAN: Final = answer(
    "The shape of `yesser plan --json`; `partnerships_count` with `partnerships_max` only.", schema_of(Plan)
)
PACE: Final = answer("The plan against the calendar.", schema_of(Pace))
SERVICES: Final = answer("Services by id.", _list(schema_of(Service)))
SERVICE: Final = answer("A service and its history.", schema_of(ServiceAndHistory))
PROJECTS: Final = answer("Projects by id.", _list(schema_of(Project)))
PROJECT: Final = answer("A project, its phases and its history.", schema_of(ProjectAndHistory))
CAMPAIGNS: Final = answer("The shape of `yesser campaigns list --json`.", _list(shape(**_CAMPAIGN)))
INBOX: Final = answer(
    "The campaigns asked for, each with its next step.", _list(shape(**_CAMPAIGN, overdue=_YES_OR_NO, **_TO_DO))
)
COUNTS: Final = answer(
    "How many there are, are overdue, are paused, and wait for each next step.",
    shape(**dict.fromkeys(("campaigns", "overdue", "paused", "acknowledge", "air", "complete", "completed"), INTEGER)),
)
COVERAGE: Final = answer("The shape of `yesser campaigns coverage --json`, a page of services.", _COVERAGE)
CAMPAIGN: Final = answer(
    "A campaign, its brief, its reason, its airings and its history.", shape(**_CAMPAIGN, **_DECISION)
)
EXPLANATION: Final = answer(
    "What the rules decided, and sentences on what happened to the campaign.",
    shape(
        log_index=INTEGER,
        remarks=_list(_NAME),
        evaluations=_list(
            shape(
                rule=TEXT,
                cause_index=INTEGER,
                part=TEXT,
                rules_version=INTEGER,
                fired=_YES_OR_NO,
                campaign_id=_or_null(TEXT),
                reason=_NAME,
            )
        ),
    ),
)
PARTNERSHIPS: Final = answer("Partnerships by id.", _list(schema_of(Partnership)))
PARTNERSHIP: Final = answer("A partnership and its terms.", schema_of(PartnershipAndTerms))
STATEMENTS: Final = answer("Statements by period.", _list(schema_of(Statement)))
STATEMENT: Final = answer("The shape of `yesser ledger statement --json`.", schema_of(Statement))
TRANSFERS: Final = answer("The shape of `yesser ledger transfers --json`, in log order.", _TRANSFERS)
BALANCES: Final = answer("The shape of `yesser ledger balances --json`.", _BALANCES)
ANOMALIES: Final = answer("The shape of `yesser anomalies --json`.", _list(_ANOMALY))
ACTIVITY: Final = answer(
    "What was accepted, by full type, and refused, by agency.",
    _list(shape(agency=TEXT, events=_map(_COUNTED), refusals=_or_null(_COUNTED))),
)
ENTRIES: Final = answer("Where events are in the log, in log order.", _list(_ENTRY))
REFUSALS: Final = answer("Refusals, the newest first.", _list(_REFUSAL))
REFUSAL: Final = answer("A refusal with every fault that its entry lists.", _REFUSAL)
PROOF: Final = answer(
    "Hashes are base64; the checkpoint is a C2SP signed note, and so is each rotation of the log's key.",
    shape(index=INTEGER, entry=TEXT, leaf=TEXT, size=INTEGER, path=_list(TEXT), checkpoint=TEXT, rotations=TEXT),
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
