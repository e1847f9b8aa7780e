"""The rooms of pages, in the order of the navigation."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter

from consumers.console.pages import approvals, components
from consumers.console.pages.audit import routes as audit
from consumers.console.pages.campaigns.routes import routes as campaigns
from consumers.console.pages.operations import routes as operations
from consumers.console.pages.partnerships import routes as partnerships
from consumers.console.pages.plan.routes import routes as plan
from consumers.console.pages.workspace import routes as workspace

ROOMS: Final[tuple[APIRouter, ...]] = (
    plan,
    campaigns,
    workspace.routes,
    partnerships.routes,
    audit.routes,
    operations.routes,
    approvals.routes,
    components.routes,
)
