"""`/v1/explain/…`: the entries that made a figure, each with the value before and after it."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Final

from fastapi import APIRouter, Path, Response

from consumers.api.parameters import AsOfIndex, Limit
from consumers.api.reader import JSON, REVALIDATED, Reading, Reads
from consumers.api.routes import prepared
from consumers.documents.log.explanations import Explanation
from consumers.explain.over_http.answers import explained_for
from infra.http.documents import TEXT, answer, problems, schema_of
from infra.http.routes import RouteParts
from infra.json_documents import to_json

KEY_LENGTH_MAX: Final = 400
_DOCUMENT: Final = answer(
    "The shape of `yesser audit explain --json`, with the last steps. `ok`: the steps give the figures.",
    schema_of(Explanation),
)
_EARLIER_STEPS: Final = {
    "description": "The address of the steps before these (RFC 8288), if there are any.",
    "schema": TEXT,
}
Name = Annotated[str, Path(max_length=64, description="A read model, such as `plan`, `services` or `statements`.")]
Figure = Annotated[
    str, Path(max_length=KEY_LENGTH_MAX, description="KEY or KEY/FIELD, such as `services/1/launched` of the plan.")
]


def router(parts: RouteParts, reads: Reads | None = None) -> APIRouter:
    """The factory of the entry point `yesser.routes`."""
    routes = APIRouter(tags=["log"], default_response_class=Response, dependencies=[prepared(parts, reads)])

    @routes.get(
        "/v1/explain/{model}/{key:path}",
        summary="The entries that made a figure",
        responses={
            200: {**_DOCUMENT, "headers": {"Link": _EARLIER_STEPS}},
            **problems(400, 401, 403, 404, 422, 429, 500, 503),
        },
    )
    async def explained(
        request: Reading, model: Name, key: Figure, limit: Limit = 100, as_of_index: AsOfIndex = None
    ) -> Response:
        """The last `limit` entries that changed a figure, each with the value before and after it.

        Without a field: all figures of the key. `yesser audit explain` without arguments lists the read models and
        their keys. A figure with a long history takes longer. An agency explains the programme's figures and its
        own, and of other agencies' entries sees no data; a partner and the treasury explain money.
        """
        reader = replace(await request.reader(), known=None)  # an explanation has no entity tag
        document = (await explained_for(reader, model, key, limit, as_of_index)).document.document
        headers = {"Cache-Control": REVALIDATED}
        if (earlier := document.before) is not None:
            headers |= request.next_page(as_of_index=earlier)
        return Response(to_json(document), headers=headers, media_type=JSON)

    return routes
