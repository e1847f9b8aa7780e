"""What the pages of teams and webhooks ask the gateway, and what they do with its answer.

A team's account changes its own team; one of the agency, or of the office, every team of its agency. Each check is made
before the gateway is asked to change something: the gateway knows the agency, not the team.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

from fastapi import Depends
from msgspec import Struct

from consumers.console.accounts.accounts import Account
from consumers.console.page_request import Visit, Visiting
from consumers.console.pages.campaigns.reporting import AWAY, Faults, faults_of
from consumers.documents.document import document_of, documents_of
from consumers.documents.teams.teams import Subscription
from consumers.documents.teams.webhooks import WebhookAndSecrets
from events.values.bilingual import Bilingual
from infra.http.problems import Problem
from infra.json_documents import to_json
from producers.sdk.problems import NotServed, OutcomeUnknown

Document = TypeVar("Document", bound=Struct)
LIST_MAX: Final = "1000"
"""The longest page of the gateway."""
MAYBE_CHANGED: Final = Bilingual(
    "لم تجب البوابة في الوقت المحدد، وقد يكون التغيير تم. انظر في صفحة الفريق قبل أن ترسله مرة أخرى.",
    "The gateway did not answer in time, and may have made the change. Look at the team's page before you repeat it.",
)


async def look(visit: Visit, document: type[Document], path: str) -> Document:
    """A document of the gateway. Raises `GatewayProblem` and `NotServed`, which are shown as pages."""
    return document_of(document, await act(visit, "GET", path), agency=visit.caller.holder)


async def look_all(visit: Visit, document: type[Document], path: str, **query: str) -> list[Document]:
    """The documents of a list. Raises like `look`."""
    rows = await act(visit, "GET", f"{path}?{urlencode(query)}")
    # The gateway leaves out whose they are.
    return documents_of(document, [{**row, "agency": visit.caller.holder} for row in rows])


async def webhooks_of(visit: Visit, *, ended: bool = True) -> list[WebhookAndSecrets]:
    """The agency's webhooks. Raises like `look`."""
    query = {"ended": "true"} if ended else {}
    return await look_all(visit, WebhookAndSecrets, "/v1/webhooks", **query, limit=LIST_MAX)


async def webhook_of(visit: Visit, endpoint_id: str) -> WebhookAndSecrets:
    """A webhook of the agency. Raises `Problem` (404)."""
    for webhook in await webhooks_of(visit):
        if webhook.endpoint_id == endpoint_id:
            return webhook
    raise Problem("not-found")


async def subscriptions_of(visit: Visit, team: str) -> list[Subscription]:
    """Those of a team. Raises like `look`."""
    rows = await look_all(visit, Subscription, "/v1/subscriptions", limit=LIST_MAX)
    return [row for row in rows if row.team == team]


async def act(visit: Visit, method: str, path: str) -> Any:
    """The document that answers a button. Raises like `look`, and `OutcomeUnknown`."""
    reply = await visit.send(method, path)
    if not reply.is_success:
        raise reply.refusal()
    return reply.document


@dataclass(frozen=True, slots=True)
class Changed:
    """What became of a form: the document that answers it; or the faults of its fields, and the status to answer."""

    status: int
    faults: Faults = field(default_factory=dict)
    document: Any = None


async def change(visit: Visit, method: str, path: str, body: object, fields: Collection[str] = ()) -> Changed:
    """Send a form's document. `fields` are the form's. Raises `GatewayProblem` for what is not there."""
    try:
        reply = await visit.send(method, path, to_json(body))
    except (NotServed, OutcomeUnknown) as error:
        return Changed(503, {"": AWAY if isinstance(error, NotServed) else MAYBE_CHANGED})
    if reply.status == 404:
        raise reply.refusal()
    if not reply.is_success:
        return Changed(reply.status, faults_of(reply.problem, fields))
    return Changed(reply.status, document=reply.document)


def may_change(account: Account, team: str) -> bool:
    """Whether the account may change this team of its agency."""
    return account.role != "team" or account.team == team


def require_own(account: Account, team: str) -> None:
    """Raises `Problem` (403) for another team's account."""
    if not may_change(account, team):
        raise Problem("forbidden")


async def _own_team(visit: Visiting, team: str) -> None:
    require_own(visit.account, team)


async def _own_webhook(visit: Visiting, endpoint_id: str) -> None:
    if visit.account.role == "team":
        require_own(visit.account, (await webhook_of(visit, endpoint_id)).team)


OWN_TEAM: Final = Depends(_own_team)
"""Of routes with the path parameter `team`."""
OWN_WEBHOOK: Final = Depends(_own_webhook)
"""Of routes with the path parameter `endpoint_id`."""
