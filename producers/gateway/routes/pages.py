"""Public routes: the documentation, the OpenAPI document, and the key that signs receipts.

The pages themselves are in `producers.docs_pages`. They run no script and load nothing from elsewhere, which
their headers also forbid.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from starlette.responses import RedirectResponse

from infra.http.documents import HEADERS, TEXT, Schema, answer, problems
from infra.http.problems import PAGE_PREFIX, Problem, language_of
from infra.http.routes import KEY, KEYS, needs_token
from producers.docs_pages.pages import LLMS, START
from producers.docs_pages.site import Page, Site
from producers.gateway.routes.parts import PartsDep

_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
OPENAPI: Final = "/openapi.json"
_PLAIN: Final = "text/plain; charset=utf-8"
# FastAPI declares a 422 for every parameter, also for a text of a path, which is always valid.
_FRAMEWORKS_OWN: Final = "Validation Error"
_OF_ANY_TEXT: Final = frozenset({"type", "title", "description", "examples"})
_TEXT_OR_NONE: Final = ("string", "null")
_DOCUMENTS: Final = (
    OPENAPI,
    LLMS,
    "/asyncapi.json",
    "/schemas",
    "/schemas/{name:path}",
    START,
    START + "/{name:path}",
)


routes = APIRouter(tags=["documents"])


async def document(request: Request) -> Response:
    """The page at the request's address, in the language that the address names or else the client prefers; 304 where
    the client has it. Raises `Problem` (404) for an unknown one."""
    site: Site = request.app.state.site
    path = request.url.path.rstrip("/")
    try:
        page = site.page(path, language_of(request.headers.get("accept-language")))
    except KeyError:
        raise Problem("no-such-route") from None
    headers = _headers(page)
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(page.body, headers=headers, media_type=page.media_type)


@routes.get("/", include_in_schema=False)
async def start() -> Response:
    """The documentation begins here."""
    return RedirectResponse(START)


for address in _DOCUMENTS:
    routes.add_api_route(address, document, include_in_schema=False)


@routes.get(
    KEY,
    summary="The key that signs receipts",
    response_class=Response,
    responses={200: answer("The key in one line.", TEXT, _PLAIN), **problems()},
)
async def key(parts: PartsDep) -> Response:
    """The verifier key (C2SP signed-note `vkey`) of this gateway."""
    return Response(parts.signer.keys.history.current.vkey + "\n", media_type=_PLAIN)


@routes.get(
    KEYS,
    summary="All keys that signed receipts",
    response_class=Response,
    responses={200: answer("The keys, the first one first.", TEXT, _PLAIN), **problems()},
)
async def keys(parts: PartsDep) -> Response:
    """The first verifier key of this gateway, and each rotation since as a note signed by the old and the new key."""
    return Response(parts.signer.keys.history.document(), media_type=_PLAIN)


@routes.get(
    PAGE_PREFIX + "{code}",
    summary="What a problem means",
    response_class=Response,
    responses={200: answer("The page, as HTML.", TEXT, "text/html; charset=utf-8"), **problems(404)},
)
async def page(code: str, request: Request) -> Response:
    """The page of a problem's type, in Arabic or English."""
    return await document(request)


def _headers(page: Page) -> dict[str, str]:
    of_language = {"Content-Language": page.language, "Vary": "Accept-Language"} if page.language else {}
    return of_language | {
        "ETag": page.etag,
        "Cache-Control": "no-cache",
        "Content-Security-Policy": _POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }


def _may_be_invalid(operation: Mapping[str, Any]) -> bool:
    """Whether an operation has a body, or a parameter that not every text is valid for."""
    schemas = [parameter["schema"] for parameter in operation.get("parameters", ())]
    kinds = [kind for schema in schemas for kind in schema.get("anyOf", [schema])]
    return "requestBody" in operation or any(
        not kind.keys() <= _OF_ANY_TEXT or kind.get("type") not in _TEXT_OR_NONE for kind in kinds
    )


def openapi_document(app: FastAPI) -> Schema:
    """The OpenAPI document, made once."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description="CloudEvents 1.0.2 over HTTP into the national log. Errors are RFC 9457 problems.",
            routes=app.routes,
        )
        components = document.setdefault("components", {})
        components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        components["headers"] = HEADERS
        for name in ("HTTPValidationError", "ValidationError"):
            components.get("schemas", {}).pop(name, None)
        for path, operations in document["paths"].items():
            for operation in operations.values():
                operation["security"] = [{"token": []}] if needs_token(path) else []
                is_frameworks = operation["responses"].get("422", {}).get("description") == _FRAMEWORKS_OWN
                if is_frameworks or not _may_be_invalid(operation):
                    operation["responses"].pop("422", None)
        app.openapi_schema = document
    return app.openapi_schema
