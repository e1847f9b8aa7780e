"""What the OpenAPI document says of the bodies and answers of these routes. A test compares real answers with it."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Final, TypedDict

from msgspec import Struct

from consumers.delivery.teams.endpoints import ShownOnce
from consumers.delivery.teams.inputs import NewContacts, NewSubscription, NewTeam, NewWebhook, Redelivery, Rotation
from consumers.documents.teams.teams import Contacts, Subscription, Team
from consumers.documents.teams.webhooks import Attempt, Example, Redelivered, WebhookAndSecrets
from events.values.fields import Model
from infra.http.documents import INTEGER, TEXT, Schema, answer, problems, schema_of, shape


def _own(document: type[Struct]) -> Schema:
    """The schema of what is the caller's: without the agency (`requests.own`)."""
    schema = schema_of(document)
    return shape(**{name: member for name, member in schema["properties"].items() if name != "agency"})


def _own_list(document: type[Struct]) -> Schema:
    return {"type": "array", "items": _own(document)}


TEAMS: Final = answer("Teams by code.", _own_list(Team))
TEAM: Final = answer("The team.", _own(Team))
CONTACTS: Final = answer("The addresses in the order in which they are written to.", _own(Contacts))
CALENDAR_ADDRESS: Final = answer("The address, which is not shown again.", shape(team=TEXT, address=TEXT))
WEBHOOKS: Final = answer("Webhooks by id.", _own_list(WebhookAndSecrets))
SECRETS: Final = answer("The webhook's new secrets, shown only here.", schema_of(ShownOnce))
EXAMPLE: Final = answer("The example waits to be sent.", schema_of(Example))
ATTEMPTS: Final = answer("Attempts, the newest first.", schema_of(list[Attempt]))
REDELIVERED: Final = answer("The messages that are sent again.", schema_of(Redelivered))
SUBSCRIPTIONS: Final = answer("Subscriptions by id.", _own_list(Subscription))
SUBSCRIBED: Final = answer(
    "The subscription, and the entries that are sent again: from the first of them up to the second, without it.",
    shape(
        subscription_id=INTEGER,
        endpoint_id={"type": ["string", "null"]},
        from_index=INTEGER,
        backfill={"anyOf": [shape(**{"from": INTEGER, "to": INTEGER}), {"type": "null"}]},
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


class Operation(TypedDict):
    """What a route says of itself."""

    status_code: int
    responses: dict[int | str, Schema]
    openapi_extra: Schema | None


def reads(done: Schema, *, paged: bool = False) -> Operation:
    link = {"Link": {"description": "The address of the next page (RFC 8288), if there is one.", "schema": TEXT}}
    found = {**done, **({"headers": link} if paged else {})}
    return _operation(200, found, problems(400, 401, 403, 404, 422, 429, 503))


def changes(status: int, done: Schema, body: type[Model] | None = None) -> Operation:
    return _operation(status, done, problems(400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 503), body)


def _operation(
    status: int, done: Schema, refused: dict[int | str, Schema], body: type[Model] | None = None
) -> Operation:
    extra = None
    if body is not None:
        content = {"schema": _inlined(body.model_json_schema()), "example": _EXAMPLES[body]}
        extra = {"requestBody": {"required": True, "content": {"application/json": content}}}
    return {"status_code": status, "responses": {status: done, **refused}, "openapi_extra": extra}


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
