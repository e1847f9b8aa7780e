"""What anybody may read: the OpenAPI document, the key that signs receipts, and a page for every problem's type."""

from __future__ import annotations

from html import escape

from fastapi import APIRouter, FastAPI, Response
from fastapi.openapi.utils import get_openapi

from events.problems import PROBLEMS, Bilingual
from infra.http.documents import problems
from infra.http.problems import EXPLANATIONS, PAGE_PREFIX, Problem, to_bytes
from producers.gateway.parts import Parts


def router(parts: Parts, app: FastAPI) -> APIRouter:
    """The public routes."""
    routes = APIRouter(tags=["documents"])

    @routes.get("/openapi.json", include_in_schema=False)
    async def openapi() -> Response:
        return Response(to_bytes(openapi_document(app)), media_type="application/json")

    @routes.get("/v1/key", summary="The key that signs receipts", response_class=Response)
    async def key() -> Response:
        """The verifier key (C2SP signed-note `vkey`) of this gateway."""
        return Response(parts.signer.verifier.vkey + "\n", media_type="text/plain; charset=utf-8")

    @routes.get(
        PAGE_PREFIX + "{code}", summary="What a problem means", response_class=Response, responses=problems(404)
    )
    async def page(code: str) -> Response:
        """The page of a problem's type, in Arabic and English."""
        return Response(problem_page(code), media_type="text/html; charset=utf-8")

    return routes


def problem_page(code: str) -> str:
    """The page of a code. Raises `Problem` (404) for an unknown one."""
    title, remedy = _texts(code)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(code)}</title>'
        f'<main><section lang="ar" dir="rtl"><h1>{escape(title.ar)}</h1><p>{escape(remedy.ar)}</p></section>'
        f"<section><h1>{escape(title.en)}</h1><p>{escape(remedy.en)}</p></section>"
        f"<p><code>{escape(code)}</code></p></main></html>"
    )


def openapi_document(app: FastAPI) -> dict[str, object]:
    """The OpenAPI document, made once."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description="CloudEvents 1.0.2 over HTTP into the national log. Errors are RFC 9457 problems.",
            routes=app.routes,
        )
        schemes = document.setdefault("components", {}).setdefault("securitySchemes", {})
        schemes["token"] = {"type": "http", "scheme": "bearer"}
        for path, operations in document["paths"].items():
            for operation in operations.values():
                public = path.startswith(PAGE_PREFIX) or path == "/v1/key"
                operation["security"] = [] if public else [{"token": []}]
        app.openapi_schema = document
    return app.openapi_schema


def _texts(code: str) -> tuple[Bilingual, Bilingual]:
    for known, found in PROBLEMS.items():
        if known == code:
            return found.title, found.remedy
    for request_code, explanation in EXPLANATIONS.items():
        if request_code == code:
            return explanation.title, explanation.detail
    raise Problem("not-found")
