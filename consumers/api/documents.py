"""What the OpenAPI document says of the read API's answers. A test compares real answers with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from infra.http.documents import BINARY, INTEGER, TEXT, Schema, answer, problems, schema_of

_LOG_INDEX: Final = {"description": "Entries applied to what is shown.", "schema": INTEGER}
_TAG: Final = {"description": "Send it as If-None-Match: 304 while nothing has changed.", "schema": TEXT}
_FILE: Final = {"description": "Of the text: the name to save it under.", "schema": TEXT}
_LINK: Final = {"description": "The address of the next page (RFC 8288), if there is one.", "schema": TEXT}


def answers(
    description: str, document: Any, *, paged: bool = False, csv: bool = False, tagged: bool = True
) -> dict[int | str, Schema]:
    """Those of a route that gives a document, or a `list` of documents; `tagged`: with an entity tag."""
    found = described(description, document)
    return responses(found, paged=paged, csv=csv) if tagged else plain(found, paged=paged)


def described(description: str, document: Any) -> Schema:
    return answer(description, schema_of(document))


def responses(document: Schema, *, paged: bool = False, csv: bool = False) -> dict[int | str, Schema]:
    """`csv`: also as `text/csv`, for a client that prefers it."""
    if csv:
        document = {**document, "content": {**document["content"], "text/csv": {"schema": TEXT}}}
    headers = {"Log-Index": _LOG_INDEX, "ETag": _TAG, **({"Link": _LINK} if paged else {})}
    return {
        200: {**document, "headers": headers},
        304: {"description": "Not modified."},
        **problems(400, 401, 403, 404, 422, 429, 503),
    }


def in_formats(document: Schema, formats: Mapping[str, Any]) -> Schema:
    """A document that other media types show too; `formats` have a `media_type` each."""
    others = {known.media_type: {"schema": BINARY} for known in formats.values()}
    return {**document, "content": {**document["content"], **others}}


def in_text(document: Schema, media_type: str) -> Schema:
    """A document that a client can have as a text too, to save under a name."""
    content = {**document["content"], media_type: {"schema": TEXT}}
    return {**document, "content": content, "headers": {"Content-Disposition": _FILE}}


def plain(document: Schema, *, paged: bool = False) -> dict[int | str, Schema]:
    """Without an entity tag: what grows with the log."""
    headers = {"headers": {"Link": _LINK}} if paged else {}
    return {200: document | headers, **problems(400, 401, 403, 404, 422, 429, 503)}
