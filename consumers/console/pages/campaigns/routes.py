"""Every page of the campaigns, for those who see them."""

from __future__ import annotations

from fastapi import APIRouter

from consumers.console.page_request import only, roles_of
from consumers.console.pages.campaigns import campaign, inbox, report_pages, teams, webhooks

routes = APIRouter(dependencies=[only(roles_of("/campaigns"))])
for part in (inbox, teams, webhooks, report_pages, campaign):  # the last has the path `/campaigns/ID`
    routes.include_router(part.routes)
