"""A statement with its working as one JSON document, and as tables for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from consumers.revenue.statements.paper import Cell, Paper, Provenance, Sheet
from consumers.revenue.statements.read import StatementParts
from consumers.revenue.statements.words import exact_halalas
from consumers.revenue.statements.working import PricedGroup
from events.values.money import riyals_text
from infra.command_line.display import Column, Grid
from infra.command_line.language import localized


def statement_document(parts: StatementParts, provenance: Provenance | None) -> dict[str, Any]:
    """`statement` is the document of `events.md` §5. Fractions of a halala are texts such as `"79/20"`."""
    guarantee = parts.working.guarantee
    return {
        "statement": dict(parts.working.statement),
        "shares": [share_document(group) for group in parts.working.groups],
        "guarantee": None
        if guarantee is None
        else {
            "partner_floor_bp_of_expected": guarantee.rate_bp,
            "recoverable": guarantee.recoverable,
            "expected_halalas": guarantee.expected_halalas,
            "guarantee_halalas": guarantee.guaranteed_halalas,
            "top_up_outstanding_before_halalas": guarantee.outstanding_before_halalas,
        },
        "payouts": list(parts.paid.payouts),
        "payable_halalas": parts.paid.payable_halalas,
        "checkpoint": None if provenance is None else {"size": provenance.size, "root": provenance.root},
    }


def share_document(group: PricedGroup) -> dict[str, Any]:
    """How the partner's share of some postings follows, band by band."""
    return {
        "contract_version": group.contract_version,
        "window": group.window_number,
        "postings": group.postings_count,
        "cumulative_halalas": [list(run) for run in group.runs],
        "bands": [
            {
                "kind": line.band.kind,
                "above_halalas": _exact(line.band.above),
                "up_to_halalas": _exact(line.band.up_to),
                "amount_halalas": _exact(line.amount_halalas),
                "rate_bp": line.band.rate_bp,
                "share_halalas": _exact(line.share_halalas),
            }
            for line in group.lines
        ],
        "exact_halalas": _exact(group.exact_halalas),
        "rounding_halalas": _exact(group.rounding_halalas),
        "partner_halalas": group.partner_halalas,
    }


def _exact(halalas: Fraction | int | None) -> int | str | None:
    return None if halalas is None else exact_halalas(halalas)


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


def expected_table(rows: Sequence[Mapping[str, Any]]) -> Grid:
    """Expected against actual revenue by period, with the partner's total and its top-up."""
    columns = [
        Column("الفترة", "Period"),
        Column("النسخة", "Version", right=True, drop=2),
        Column("المتوقع", "Expected", right=True),
        Column("الصافي", "Net", right=True),
        Column("إجمالي الشريك", "Partner, total", right=True),
        Column("منه التكملة", "Of which top-up", right=True, drop=1),
    ]
    figures = ("expected_halalas", "net_halalas", "partner_total_halalas", "top_up_halalas")
    shown = [
        [
            row["period"],
            str(row["contract_version"]),
            *(None if row[name] is None else riyals_text(row[name]) for name in figures),
        ]
        for row in rows
    ]
    return Grid(localized("المتوقع والفعلي بالريال", "Expected and actual, in riyals"), columns, shown)


def _text(cell: Cell) -> str:
    return cell if isinstance(cell, str) else localized(cell.ar, cell.en, "\n")
