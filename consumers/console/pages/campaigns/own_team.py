"""What a team's account may change: its own team and the campaigns that its team's subscriptions choose. An account of
the agency, or of the office, changes every team of it.

Each check is made before the gateway is asked to change something: the gateway knows the agency, not the team.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import Depends

from consumers.console.accounts.accounts import Account
from consumers.console.pages.campaigns.changing import LIST_MAX, look
from consumers.console.visit import Visit, Visiting
from consumers.documents.campaigns.campaigns import CampaignAndHistory
from consumers.read_api.parameters import PAGE_ROWS_MAX
from consumers.read_api.resources.campaigns import InboxFilter, inbox_for
from infra.http.problems import Problem

_NOT_FOUND: Final = 404
Row = Mapping[str, Any]


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
        require_own(visit.account, (await webhook_of(visit, endpoint_id))["team"])


OWN_TEAM: Final = Depends(_own_team)
"""Of routes with the path parameter `team`."""
OWN_WEBHOOK: Final = Depends(_own_webhook)
"""Of routes with the path parameter `endpoint_id`."""


async def webhook_of(visit: Visit, endpoint_id: str) -> Row:
    """A webhook of the agency. Raises `Problem` (404)."""
    for row in await look(visit, "/v1/webhooks", ended="true", limit=LIST_MAX):
        if row["endpoint_id"] == endpoint_id:
            found: Row = row
            return found
    raise Problem("not-found")


async def require_subscription(visit: Visit, team: str, subscription_id: int) -> None:
    """Raises `Problem` (404) for a subscription of another team."""
    rows = await look(visit, "/v1/subscriptions", limit=LIST_MAX)
    if not any((row["team"], row["subscription_id"]) == (team, subscription_id) for row in rows):
        raise Problem("not-found")


async def is_of_own_team(visit: Visit, campaign: CampaignAndHistory) -> bool:
    """Whether the inbox of the account's team has the campaign; of every other account: true."""
    if visit.account.role != "team":
        return True
    service = None if campaign.service is None else campaign.service.service_id
    asked = InboxFilter(team=visit.account.team, state=None, rule=campaign.rule, service=service)
    try:
        rows = await visit.ask(inbox_for, asked, "due", PAGE_ROWS_MAX)
    except Problem as error:
        if error.status == _NOT_FOUND:  # the agency has no such team
            return False
        raise
    return any(row.campaign_id == campaign.campaign_id for row in rows.document)
