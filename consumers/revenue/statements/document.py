"""A statement with its working as one document, and as tables for the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from consumers.documents.ledger.statements import StatementWorking
from consumers.revenue.statements.paper import Cell, Paper, Provenance, Sheet
from consumers.revenue.statements.read import StatementParts
from infra.command_line.display import Column, Grid
from infra.command_line.language import localized


def statement_document(parts: StatementParts, provenance: Provenance | None) -> StatementWorking:
    return StatementWorking(
        statement=parts.working.statement,
        shares=tuple(group.share for group in parts.working.groups),
        guarantee=parts.working.guarantee,
        payouts=tuple(parts.paid.payouts),
        payable_halalas=parts.paid.payable_halalas,
        checkpoint=None if provenance is None else provenance.checkpoint,
    )


def on_screen(paper: Paper) -> Iterator[RenderableType]:
    """The statement for the terminal: its title, each sheet as a table, and what proves it."""
    yield Text(localized(paper.title.ar, paper.title.en), style="bold")
    for sheet in paper.sheets:
        yield ""
        yield sheet_table(sheet)
    yield ""
    yield localized(paper.proof.ar, paper.proof.en, "\n")
    if paper.link:
        yield paper.link


def sheet_table(sheet: Sheet) -> Grid:
    columns = [Column(c.ar, c.en, right=number > 0) for number, c in enumerate(sheet.columns)]
    if not columns:
        columns = [Column("البند", "Line"), Column("القيمة", "Value", right=True)]
    rows = [[_text(cell) for cell in row] for row in sheet.rows]
    return Grid(localized(sheet.heading.ar, sheet.heading.en), columns, rows)


def _text(cell: Cell) -> str:
    return cell if isinstance(cell, str) else localized(cell.ar, cell.en, "\n")
