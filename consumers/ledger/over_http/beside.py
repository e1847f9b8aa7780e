"""Calculations of a partnership with many entries, each in a process of the pool (`consumers.read_api.beside`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import asdict

from consumers.as_of.view import view
from consumers.documents.ledger.figures import ExplainedFigure
from consumers.documents.ledger.forecasts import Forecast, WhatIf
from consumers.documents.ledger.statements import WorkingAndDays
from consumers.explain.database import database_source
from consumers.explain.explain import Request, explain
from consumers.explain.sources import Source
from consumers.ledger.figure_document import Rows, figure_document, read_statement
from consumers.ledger.forecast import forecast
from consumers.ledger.proving import entries_of
from consumers.ledger.what_if import what_if
from consumers.revenue.consumer import CONSUMER as REVENUE
from consumers.revenue.statements.document import statement_document
from consumers.revenue.statements.read import proven_parts
from infra.settings import Settings

STEPS_MAX = 100


async def forecast_of(settings: Settings, partnership_id: str) -> Forecast:
    return forecast(await entries_of(settings, f"partnership/{partnership_id}"))


async def what_if_of(settings: Settings, partnership_id: str, terms: Mapping[str, Any]) -> WhatIf:
    return what_if(partnership_id, await entries_of(settings, f"partnership/{partnership_id}"), dict(terms))


async def working_of(settings: Settings, partnership_id: str, period: str) -> WorkingAndDays:
    """Without its days, which are as many as the entries."""
    async with view(settings, [REVENUE]) as shown:
        parts = await proven_parts(await shown.use(REVENUE), partnership_id, period, None)
    return WorkingAndDays(**asdict(statement_document(*parts)), days=None)


async def explained_figure_of(settings: Settings, partnership_id: str, period: str, field: str) -> ExplainedFigure:
    async with database_source(settings, None) as source:
        return await explained_figure(source, partnership_id, period, field)


async def explained_figure(source: Source, partnership_id: str, period: str, field: str) -> ExplainedFigure:
    """A figure of a statement with its formula, its transfers and the entries that made it."""
    rows, asked = Rows(), Request("statements", f"{partnership_id}/{period}", field, STEPS_MAX)
    explanation = await explain(source, asked, lambda tracer: read_statement(tracer, partnership_id, period, rows))
    assert rows.statement is not None, "a statement that exists is read"
    return figure_document(rows.statement, field, rows.transfers, explanation)
