"""What the OpenAPI document says of the bodies and answers of these routes. A test compares real answers with it."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Final

from consumers.delivery.teams.inputs import NewContacts, NewSubscription, NewTeam, NewWebhook, Redelivery, Rotation
from events.values.fields import Model
from infra.http.documents import INTEGER, TEXT, answer, problems, shape

Schema = dict[str, Any]

_TIME: Final[Schema] = {"type": "string", "format": "date-time"}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


_TEXTS_OR_NULL: Final = _or_null(_list(TEXT))
_TEAM: Final = shape(
    team=TEXT,
    name=shape(ar=TEXT, en=TEXT),
    language={"enum": ["ar", "en"]},
    created_at=_TIME,
    closed_at=_or_null(_TIME),
    contacts={**INTEGER, "description": "The number of its addresses."},
    webhooks={**INTEGER, "description": "Those that are not disabled."},
    subscriptions={**INTEGER, "description": "Those that have not ended."},
)
_WEBHOOK: Final = shape(
    endpoint_id=TEXT,
    team=TEXT,
    url=TEXT,
    created_at=_TIME,
    failing_since=_or_null(_TIME),
    disabled_at=_or_null(_TIME),
    disabled_reason=_or_null({"enum": ["gone", "failing", "by-team"]}),
    secrets={
        **_list(shape(kind={"enum": ["v1", "v1a"]}, expires_at=_or_null(_TIME))),
        "description": "The active ones, which all sign.",
    },
)
_SUBSCRIPTION: Final = shape(
    subscription_id=INTEGER,
    team=TEXT,
    route={"enum": ["email", "webhook"]},
    endpoint_id=_or_null(TEXT),
    rules=_TEXTS_OR_NULL,
    services=_TEXTS_OR_NULL,
    channels=_TEXTS_OR_NULL,
    types=_TEXTS_OR_NULL,
    from_index={**INTEGER, "description": "The first entry that is sent as it is logged."},
    backfill_next=_or_null({**INTEGER, "description": "The next entry that is sent as a replay."}),
    backfill_to=_or_null({**INTEGER, "description": "The replay ends before this entry."}),
    created_at=_TIME,
    ended_at=_or_null(_TIME),
)
_SECRETS: Final = shape(
    endpoint_id=TEXT,
    secret={"type": "string", "description": "`whsec_…`, for `v1`. It is not shown again."},
    public_key={"type": "string", "description": "`whpk_…`, for `v1a`."},
)

TEAMS: Final = answer("Teams by code.", _list(_TEAM))
TEAM: Final = answer("The team.", _TEAM)
CONTACTS: Final = answer(
    "The addresses in the order in which they are written to.",
    shape(
        team=TEXT,
        contacts=_list(TEXT),
        addresses={
            **_list(
                shape(
                    address=TEXT,
                    state={"enum": ["confirmed", "registered-domain", "waiting", "stopped"]},
                    since={**_TIME, "description": "Of the state."},
                    used_until=_or_null({**_TIME, "description": "It gets letters until then without a confirmation."}),
                )
            ),
            "description": "The same, with what their readers decided.",
        },
        not_sent={
            **_list(shape(kind=TEXT, campaign_id=_or_null(TEXT), at=_TIME, reason=TEXT)),
            "description": "The newest e-mails that were not sent, each with its reason, such as `unconfirmed`.",
        },
    ),
)
CALENDAR_ADDRESS: Final = answer("The address, which is not shown again.", shape(team=TEXT, address=TEXT))
WEBHOOKS: Final = answer("Webhooks by id.", _list(_WEBHOOK))
SECRETS: Final = answer("The webhook's new secrets, shown only here.", _SECRETS)
EXAMPLE: Final = answer("The example waits to be sent.", shape(message_id=INTEGER, endpoint_id=TEXT, event_id=TEXT))
ATTEMPTS: Final = answer(
    "Attempts, the newest first.",
    _list(
        shape(
            message_id=INTEGER,
            kind={**TEXT, "description": "`triggered`, `escalated` …; `example`."},
            event_id=TEXT,
            campaign_id=_or_null(TEXT),
            log_index=_or_null({**INTEGER, "description": "The entry that was sent."}),
            state={
                "enum": ["waiting", "delivered", "failed", "cancelled"],
                "description": "Of the message, after all its attempts.",
            },
            replay={"type": "boolean"},
            late={"type": "boolean"},
            number={**INTEGER, "description": "Of the attempt, from 1."},
            at=_TIME,
            status=_or_null({**INTEGER, "description": "That your system answered."}),
            error=_or_null({**TEXT, "description": "Why there was no answer."}),
            latency_ms=INTEGER,
            answer={**TEXT, "description": "Its first KiB."},
            next_attempt_at=_or_null(_TIME),
        )
    ),
)
REDELIVERED: Final = answer("The messages that are sent again.", shape(endpoint_id=TEXT, messages=_list(INTEGER)))
SUBSCRIPTIONS: Final = answer("Subscriptions by id.", _list(_SUBSCRIPTION))
SUBSCRIBED: Final = answer(
    "The subscription, and the entries that are sent again: from the first of them up to the second, without it.",
    shape(
        subscription_id=INTEGER,
        endpoint_id=_or_null(TEXT),
        from_index=INTEGER,
        backfill=_or_null(shape(**{"from": INTEGER, "to": INTEGER})),
    ),
)
DONE: Final = {"description": "Done; repeating it changes nothing."}

TEAM_EXAMPLE: Final = {
    "team": "press",
    "name": {"ar": "المكتب الإعلامي", "en": "Press office"},
    "contacts": ["media@health.gov.example", "duty-desk@health.gov.example"],
}
_EXAMPLES: Final[dict[type[Model], Schema]] = {
    NewTeam: TEAM_EXAMPLE,
    NewContacts: {"contacts": TEAM_EXAMPLE["contacts"]},
    NewWebhook: {"team": "press", "url": "https://campaigns.health.gov.example/yesser"},
    Rotation: {"end_old": False},
    Redelivery: {"since": "2026-11-25T08:00:00Z", "until": "2026-11-25T12:00:00Z"},
    NewSubscription: {"team": "press", "route": "email", "rules": ["service-launched"], "from_date": "2026-11-01"},
}


def body(model: type[Model]) -> dict[str, Any]:
    """What an operation says of its body."""
    content = {"schema": _inlined(model.model_json_schema()), "example": _EXAMPLES[model]}
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


def reads(status_200: Schema, *, paged: bool = False) -> dict[int | str, dict[str, Any]]:
    link = {"Link": {"description": "The address of the next page (RFC 8288), if there is one.", "schema": TEXT}}
    return {200: {**status_200, **({"headers": link} if paged else {})}, **problems(400, 401, 403, 404, 422, 429, 503)}


def changes(status: int, done: Schema) -> dict[int | str, dict[str, Any]]:
    return {status: done, **problems(400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 503)}


def _inlined(schema: Schema) -> Schema:
    """The schema without references, which point into a document of its own."""
    definitions = schema.pop("$defs", {})

    def resolved(part: Any) -> Any:
        if isinstance(part, list):
            return [resolved(item) for item in part]
        if not isinstance(part, dict):
            return part
        if "$ref" in part:
            return resolved(deepcopy(definitions[part["$ref"].rpartition("/")[2]]))
        return {name: resolved(inner) for name, inner in part.items()}

    inlined: Schema = resolved(schema)
    return inlined
