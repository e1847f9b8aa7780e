"""Unknown query parameters are errors, so that a mistyped one is never ignored."""

from __future__ import annotations

from typing import Final

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from events.values.personal_data import holds_personal_data
from infra.http.problems import Problem

SHOWN_LENGTH_MAX: Final = 64
_LISTED_MAX: Final = 20


async def only_known_parameters(request: Request) -> None:
    """A dependency of every route. Raises `Problem` (400) with each unknown parameter and the known ones."""
    if not request.scope["query_string"]:
        return
    route: APIRoute = request.scope["route"]
    known = sorted(_names(route.dependant))
    unknown = [name for name in request.query_params if name not in known][:_LISTED_MAX]
    if unknown:
        detail = f"Known here: {', '.join(known)}." if known else "This route has no parameters."
        errors = [{"code": "unknown-parameter", "parameter": _shown(name), "detail": detail} for name in unknown]
        raise Problem("unknown-parameter", errors=errors)


def _names(dependant: Dependant) -> set[str]:
    return {field.alias for field in dependant.query_params}.union(*map(_names, dependant.dependencies))


def _shown(name: str) -> str:
    return "(personal data)" if holds_personal_data(name) else name[:SHOWN_LENGTH_MAX]
