"""How each route of the console is asked, with the ids of one world or another in every parameter.

A route without a line in `ASKED` is asked as its path says: a new one is tried without a word here, and fails where the
name of a parameter says too little.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import Mount

from consumers.console.app import pages
from consumers.console.page_request import ConsoleParts
from tests.world.consoles import PASSWORD, TYPED
from tests.world.events import initiative

_NAME: Final = re.compile(r"\{([a-z_]+)\}")
World = Mapping[str, str]
"""Name of a parameter → the id that it gets."""
CONSTANTS: Final[World] = {
    "period": "2005-01",
    "field": "net_halalas",
    "type_name": "awareness.initiative-announced",
    "old_size": "1",
    "new_size": "2",
    "event_id": "e-1",
}
"""Parameters that are nobody's. Each agency has events with any id; whose an event is, its address says."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request. `{name}` in its texts is filled in from a world. `fields`: the parameters of a GET, or a form's
    fields; `file`: an upload's field and text."""

    path: str
    fields: Mapping[str, str] = field(default_factory=dict)
    file: tuple[str, str] | None = None

    @property
    def text(self) -> str:
        return " ".join([self.path, *self.fields.values(), self.file[1] if self.file else ""])

    def names(self) -> frozenset[str]:
        """Of the ids that it takes."""
        return frozenset(_NAME.findall(self.text))

    def of(self, world: World) -> Asked:
        fields = {name: _filled(text, world) for name, text in self.fields.items()}
        return Asked(_filled(self.path, world), fields, self.file and (self.file[0], _filled(self.file[1], world)))


def _filled(text: str, world: World) -> str:
    return _NAME.sub(lambda found: world[found[1]], text)


_EVENT: Final = json.dumps(initiative(source="urn:yesser:agency:{agency}"))
_EVERYBODYS: Final = {"agency": "{agency}", "whose": "all"}
_AIRED: Final = {"channel": "tv", "outlet_ar": "قناة", "outlet_en": "One", "on": "2006-03-05", "reach": "1000"}
_CORRECTED: Final = {"airing": "0", "reach": "2000", "reason_ar": "أعيد العد", "reason_en": "Counted again"}
_TEAM: Final = {"team": "{new_team}", "name_ar": "فريق", "name_en": "Team", "contacts": "new@health.example"}
_OF_AGENCY: Final = (
    *("/plan/services", "/plan/services.csv", "/plan/awareness", "/plan/awareness.csv", "/audit/log"),
    *("/v1/services", "/v1/inbox", "/v1/inbox/counts", "/v1/coverage", "/v1/entries", "/v1/anomalies", "/v1/activity"),
    *("/v1/refusals", "/v1/completeness/months"),
)
"""Lists that take the agency as a parameter."""
_FIELDS: Final[Mapping[str, Mapping[str, str]]] = {
    "POST /sign-in": {"username": "{username}", "password": PASSWORD},
    "GET /sign-in/oidc/callback": {"code": "none", "state": "none"},
    "POST /sign-in/oidc/logout": {"logout_token": "none"},
    "POST /language": {"language": "en"},
    "GET /campaigns": _EVERYBODYS,
    "GET /campaigns/campaigns.csv": _EVERYBODYS,
    "POST /campaigns/new-team": _TEAM,
    "POST /campaigns/teams/{team}/contacts": {"contacts": "new@health.example"},
    "POST /campaigns/teams/{team}/subscribe": {"route": "{endpoint_id}", "services": "S-NEW"},
    "POST /campaigns/teams/{team}/new-webhook": {"url": "https://hooks.example/new"},
    "POST /campaigns/webhooks/{endpoint_id}/redeliver": {"since": "2006-01-01 08:00"},
    "POST /campaigns/{campaign_id}/acknowledge": {"by": "press"},
    "POST /campaigns/{campaign_id}/air": _AIRED,
    "POST /campaigns/{campaign_id}/complete": {"on": "2006-03-05"},
    "POST /campaigns/{campaign_id}/correct": _CORRECTED,
    "GET /campaigns/{campaign_id}": {"report": "{event_id}", "address": "{address}"},
    "POST /workspace/publish/{type_name}": TYPED,
    "POST /workspace/send": {"event": _EVENT},
    "GET /partnerships/{partnership_id}/what-if.csv": {"rate0": "50"},
    "GET /audit/entries": {"index": "{index}"},
    "GET /operations/trail": {"operator": "agency/{agency}"},
    "POST /workspace/expected": {"type": "awareness.initiative-announced", "every_days": "31"},
    "GET /v1/partnerships/{partnership_id}/what-if": {"terms": "{}"},
}
"""Of routes that are asked as their paths say."""
ASKED: Final[Mapping[str, tuple[Asked, ...]]] = {
    **{route: (Asked(route.partition(" ")[2], fields),) for route, fields in _FIELDS.items()},
    **{f"GET {path}": (Asked(f"{path}?agency={{agency}}"),) for path in _OF_AGENCY},
    "GET /v1/campaigns": (Asked("/v1/campaigns?owner={agency}"),),
    "GET /v1/names": (Asked("/v1/names?codes=agency/{agency}"),),
    "GET /plan/{kind}/{name}/history.csv": (Asked("/plan/services/{service_id}/history.csv"),),
    "GET /plan/{table}.csv": (Asked("/plan/figures.csv"), Asked("/plan/partnerships.csv")),
    "GET /workspace/refusals/{index}": (Asked("/workspace/refusals/{refusal}"),),
    "GET /workspace/sent/{event_id}": (Asked("/workspace/sent/{event_id}?address={address}"),),
    "POST /workspace/files": (Asked("/workspace/files", file=("file", _EVENT)),),
    "POST /workspace/files/mapping": (
        Asked("/workspace/files/mapping", file=("file", "receipt_id,amount_halalas\nR-1,100\n")),
    ),
    "GET /partnerships/{partnership_id}/ledger/{kind}": (Asked("/partnerships/{partnership_id}/ledger/cash"),),
    "GET /partnerships/{partnership_id}/statements/{period}/files/{name}": (
        Asked("/partnerships/{partnership_id}/statements/{period}/files/json"),
    ),
    "POST /partnerships/{partnership_id}/reconcile": (
        Asked("/partnerships/{partnership_id}/reconcile", file=("table", "day,amount\n2005-01-03,50.00\n")),
    ),
    "POST /audit/checks/{kind}": (Asked("/audit/checks/log"),),
    "GET /explain/{model}/{key:path}": (
        Asked("/explain/services/{service_id}/state"),
        Asked("/explain/campaigns/{campaign_id}"),
        Asked("/explain/activity/{activity}"),
        Asked("/explain/partnerships/{partnership_id}/net_halalas"),
    ),
    "GET /v1/refusals/{index}": (Asked("/v1/refusals/{refusal}"),),
    "GET /v1/explain/{model}/{key:path}": (Asked("/v1/explain/partnerships/{partnership_id}/net_halalas"),),
    "GET /v1/partnerships/{partnership_id}/accounts/{kind}/transfers": (
        Asked("/v1/partnerships/{partnership_id}/accounts/cash/transfers"),
    ),
}
"""`METHOD /path` of a route → its requests, where its path alone does not say them."""
LAST: Final = (
    "POST /campaigns/teams/{team}/subscriptions/{subscription_id}/end",
    "POST /campaigns/webhooks/{endpoint_id}/disable",
    "POST /campaigns/teams/{team}/close",
    "POST /sign-out",
    "POST /sign-in",
)
"""What others would not be answered after."""


def requests_of(parts: ConsoleParts) -> Iterator[tuple[str, Asked]]:
    """Method and request, for every route of the console."""
    found = dict.fromkeys(_routes(pages(parts).routes, parts))
    unknown = ASKED.keys() - found
    assert not unknown, f"the console has no such route: {unknown}"
    for route in [*(route for route in found if route not in LAST), *LAST]:
        method, _, path = route.partition(" ")
        for asked in ASKED.get(route, (Asked(path),)):
            yield method, asked


def _routes(routes: Any, parts: ConsoleParts) -> Iterator[str]:
    for context in iter_route_contexts(routes):
        if isinstance(context.original_route, Mount):
            assert context.path == "/v1", "another application: it is not tried"
            yield from _routes(parts.read_api.app.routes, parts)
        else:
            assert isinstance(context.original_route, APIRoute)
            yield from (f"{method} {context.path}" for method in sorted(context.methods or ()))
