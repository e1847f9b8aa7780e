"""The event types that an agency may send: their list, and each with its fields and examples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import orjson
from fastapi import APIRouter
from fastapi.responses import Response

from consumers.console.pages.workspace.entered import COUNT, DATA
from consumers.console.pages.workspace.form import Group, Many, Node, form_of
from consumers.console.pages.workspace.shown import shown
from consumers.console.visit import Visit, Visiting
from events.schema_tools.refusal_examples import golden_example
from events.schema_tools.schema_documents import SENDERS
from events.types.catalogue import CATALOGUE, EventType, may_send
from events.types.domains import DOMAINS
from events.values.fields import Role
from infra.http.problems import Problem

routes = APIRouter()


@routes.get("/workspace/publish")
async def types(visit: Visiting) -> Response:
    return visit.page("workspace/types.html", domains=domains_of(visit.caller.require_agency().role))


@routes.get("/workspace/types/{type_name}")
async def one_type(visit: Visiting, type_name: str) -> Response:
    row = sendable_type(visit, type_name)
    example: Any = orjson.loads(golden_example(type_name))
    return visit.page(
        "workspace/type.html",
        row=row,
        sender=SENDERS[row.sender],
        fields=shown(form_of(type_name), dict(_one_of_each(form_of(type_name), DATA)), {}),
        example=orjson.dumps(example, option=orjson.OPT_INDENT_2).decode(),
    )


def _one_of_each(nodes: Sequence[Node], above: str) -> Iterator[tuple[str, list[str]]]:
    """One item of every list, so that its fields are shown."""
    for node in nodes:
        name = f"{above}.{node.name}"
        if isinstance(node, Many):
            yield name + COUNT, ["1"]
        elif isinstance(node, Group):
            yield from _one_of_each(node.members, name)


def domains_of(role: Role) -> list[tuple[Any, Sequence[EventType]]]:
    """The types that a role may send, by domain, in the order of the catalogue."""
    rows = [row for row in CATALOGUE.values() if may_send(role, row)]
    return [(DOMAINS[domain], list(found)) for domain, found in groupby(rows, key=lambda row: row.domain)]


def sendable_type(visit: Visit, type_name: str) -> EventType:
    """The type. Raises `Problem` (404) unless the agency may send it."""
    row = CATALOGUE.get(type_name)
    if row is None or not may_send(visit.caller.require_agency().role, row):
        raise Problem("not-found")
    return row
