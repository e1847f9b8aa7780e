"""The rooms of pages, in the order of the navigation."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter

from consumers.console.pages import components
from consumers.console.pages.workspace import routes as workspace

ROOMS: Final[tuple[APIRouter, ...]] = (components.routes, workspace.routes)
