"""What the OpenAPI document says of the bodies and answers of these routes. A test compares real answers with it."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Final, TypedDict

from consumers.delivery.teams import inputs
from events.faults.model import Model
from infra.http.documents import TEXT, Schema, answer, problems, schema_of, shape

TEAM_EXAMPLE: Final = {
    "team": "press",
    "name": {"ar": "المكتب الإعلامي", "en": "Press office"},
    "contacts": ["media@health.gov.example", "duty-desk@health.gov.example"],
}
_EXAMPLES: Final[dict[type[Model], Schema]] = {
    inputs.NewTeam: TEAM_EXAMPLE,
    inputs.NewContacts: {"contacts": TEAM_EXAMPLE["contacts"]},
    inputs.NewWebhook: {"team": "press", "url": "https://campaigns.health.gov.example/yesser"},
    inputs.Rotation: {"end_old": False},
    inputs.Redelivery: {"since": "2026-11-25T08:00:00Z", "until": "2026-11-25T12:00:00Z"},
    inputs.NewSubscription: {
        "team": "press",
        "route": "email",
        "rules": ["service-launched"],
        "from_date": "2026-11-01",
    },
    inputs.NewExpectation: {"type": "revenue.collected", "subject": "partnership/PPP-110-001", "by_day": 5},
}


class Operation(TypedDict):
    """What a route says of itself."""

    status_code: int
    responses: dict[int | str, Schema]
    openapi_extra: Schema | None


def reads(description: str, document: Any, *, paged: bool = False) -> Operation:
    """A route that gives a document, or a `list` of them."""
    link = {"Link": {"description": "The address of the next page (RFC 8288), if there is one.", "schema": TEXT}}
    done = answer(description, _own(schema_of(document))) | ({"headers": link} if paged else {})
    return {
        "status_code": 200,
        "responses": {200: done, **problems(400, 401, 403, 404, 422, 429, 503)},
        "openapi_extra": None,
    }


def changes(status: int, description: str, document: Any, body: type[Model] | None = None) -> Operation:
    """A route that changes something by what `body` says, and gives a document."""
    return _changes(status, answer(description, _own(schema_of(document))), body)


def ends() -> Operation:
    """A route that changes something and gives nothing."""
    return _changes(204, {"description": "Done; repeating it changes nothing."}, None)


def _changes(status: int, done: Schema, body: type[Model] | None) -> Operation:
    extra = None
    if body is not None:
        content = {"schema": _inlined(body.model_json_schema()), "example": _EXAMPLES[body]}
        extra = {"requestBody": {"required": True, "content": {"application/json": content}}}
    refused = problems(400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 503)
    return {"status_code": status, "responses": {status: done, **refused}, "openapi_extra": extra}


def _own(schema: Schema) -> Schema:
    """The schema of what is the caller's: without the agency (`requests.own`)."""
    if schema["type"] == "array":
        return schema | {"items": _own(schema["items"])}
    return shape(**{name: member for name, member in schema["properties"].items() if name != "agency"})


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
