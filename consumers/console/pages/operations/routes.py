"""`/operations`: what runs and what has stopped; `/operations/trail`: who did what; `/operations/accounts`."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query
from fastapi.responses import Response

from consumers.console.accounts.accounts import list_accounts
from consumers.console.navigation import roles_of
from consumers.console.pages.operations.read import Operations, read_operations, read_processes, read_trail
from consumers.console.pages.operations.runbook import runbook_entry
from consumers.console.visit import Visiting, only
from consumers.read_api.cursor import INTEGER_MAX
from infra.http.problems import Problem
from infra.postgres.connection import TRANSIENT_ERRORS

routes = APIRouter(dependencies=[only(roles_of("/operations"))])
TRAIL_ROWS: Final = 50
Before = Annotated[int | None, Query(ge=1, le=INTEGER_MAX)]
Operator = Annotated[str, Query(max_length=200, pattern=r"^[^\x00]*$")]


@routes.get("/operations")
async def operations_page(visit: Visiting) -> Response:
    """While the database is away: what was read last, with its time."""
    processes = await read_processes(visit.parts.settings)
    found, is_kept = await _read(visit)
    language = visit.words.language
    return visit.page(
        "operations/operations.html",
        live=True,
        found=found,
        is_kept=is_kept,
        processes=processes,
        halts=[(halt, runbook_entry(halt.kind, halt.reason, language)) for halt in found.halts(processes)],
        when_paused=runbook_entry("paused", "", language),
    )


@routes.get("/operations/trail")
async def trail_page(visit: Visiting, before: Before = None, operator: Operator = "") -> Response:
    async with visit.parts.connection() as connection:
        rows = await read_trail(connection, before, operator.strip() or None, TRAIL_ROWS + 1)
    more = rows[TRAIL_ROWS - 1].position if len(rows) > TRAIL_ROWS else None
    return visit.page("operations/trail.html", rows=rows[:TRAIL_ROWS], more=more, operator=operator)


@routes.get("/operations/accounts", dependencies=[only(["administrator"])])
async def accounts_page(visit: Visiting) -> Response:
    rows = [row.document(visit.parts.seals) for row in await list_accounts(visit.parts.own)]
    return visit.page("operations/accounts.html", rows=rows)


async def _read(visit: Visiting) -> tuple[Operations, bool]:
    """The tables now; while the database is away the last reading of this process, and True.

    Raises what was raised where there was none.
    """
    kept = visit.request.app.state
    try:
        async with visit.parts.connection() as connection:
            found = await read_operations(connection, visit.parts.clock(), visit.parts.settings)
    except (*TRANSIENT_ERRORS, Problem):
        if (earlier := getattr(kept, "operations", None)) is None:
            raise
        return earlier, True
    kept.operations = found
    return found, False
