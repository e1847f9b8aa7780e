"""Every page of the campaigns, for those who see them."""

from __future__ import annotations

from fastapi import APIRouter

from consumers.console.navigation import roles_of
from consumers.console.pages.campaigns import acting, campaign, coverage, inbox, teams, webhooks
from consumers.console.visit import only

routes = APIRouter(dependencies=[only(roles_of("/campaigns"))])
for part in (inbox, coverage, teams, webhooks, acting, campaign):  # the last has the path `/campaigns/ID`
    routes.include_router(part.routes)
