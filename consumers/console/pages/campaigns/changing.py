"""How the pages of teams and webhooks ask the gateway, and what they do with what it says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

import orjson

from consumers.console.data.gateway import Reply
from consumers.console.pages.campaigns.replies import AWAY, MAYBE_CHANGED, body_faults
from consumers.console.pages.campaigns.reporting import Faults
from consumers.console.visit import Visit
from producers.sdk.problems import NotServed, OutcomeUnknown

LIST_MAX: Final = "1000"
"""The longest page of the gateway."""


async def look(visit: Visit, path: str, **query: str) -> Any:
    """A document of the gateway. Raises `GatewayProblem` and `NotServed`, which are shown as pages."""
    address = f"{path}?{urlencode(query)}" if query else path
    return _good(await visit.send("GET", address)).document


async def act(visit: Visit, method: str, path: str, body: object = None) -> Any:
    """The document that answers a change of one button. Raises like `look`, and `OutcomeUnknown`."""
    return _good(await visit.send(method, path, _content(body))).document


async def change(
    visit: Visit, method: str, path: str, body: object, fields: Mapping[str, str]
) -> tuple[Any, Faults, int]:
    """The document that answers a form; or the faults of its fields, and the status to answer with."""
    try:
        reply = await visit.send(method, path, _content(body))
    except (NotServed, OutcomeUnknown) as error:
        return None, {"": AWAY if isinstance(error, NotServed) else MAYBE_CHANGED}, 503
    if reply.status == 404:
        raise reply.refusal()
    if not reply.is_success:
        return None, body_faults(reply, fields), reply.status
    return reply.document, {}, reply.status


def _content(body: object) -> bytes | None:
    return None if body is None else orjson.dumps(body)


def _good(reply: Reply) -> Reply:
    if not reply.is_success:
        raise reply.refusal()
    return reply
