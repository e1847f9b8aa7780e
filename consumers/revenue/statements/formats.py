"""The formats of a statement, by their names: a page, paper, or every receipt with its arithmetic as a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from consumers.revenue.statements.days import statement_days
from consumers.revenue.statements.paper import Paper, Provenance, statement_paper
from consumers.revenue.statements.postings import COLUMNS, posting_rows
from consumers.revenue.statements.read import StatementParts
from consumers.revenue.statements.rendering import to_html, to_pdf
from infra.command_line.table_files import WRITERS


@dataclass(frozen=True, slots=True)
class Format:
    """A media type, and the function that writes a statement as one."""

    media_type: str
    render: Callable[[StatementParts, Provenance | None], bytes]


def paper_of(parts: StatementParts, provenance: Provenance | None) -> Paper:
    """The statement with its working, for the screen."""
    return statement_paper(parts.partnership, parts.working, parts.paid, provenance)


def printed_paper(parts: StatementParts, provenance: Provenance | None) -> Paper:
    """The same with its lines by day, for print."""
    days = statement_days(parts.partnership.versions, parts.postings)
    return statement_paper(parts.partnership, parts.working, parts.paid, provenance, days)


def _html(parts: StatementParts, provenance: Provenance | None) -> bytes:
    return to_html(printed_paper(parts, provenance)).encode()


def _pdf(parts: StatementParts, provenance: Provenance | None) -> bytes:
    return to_pdf(printed_paper(parts, provenance))


def _table(name: str) -> Callable[[StatementParts, Provenance | None], bytes]:
    def render(parts: StatementParts, _: Provenance | None) -> bytes:
        with TemporaryDirectory() as folder:
            path = Path(folder, f"statement.{name}")
            WRITERS[name](path, COLUMNS, posting_rows(parts.partnership.versions, parts.postings))
            return path.read_bytes()

    return render


FORMATS: Final[Mapping[str, Format]] = {
    "html": Format("text/html", _html),
    "pdf": Format("application/pdf", _pdf),
    "csv": Format("text/csv", _table("csv")),
    "xlsx": Format("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", _table("xlsx")),
    "parquet": Format("application/vnd.apache.parquet", _table("parquet")),
}
"""By the name of the format, which is also the ending of its file."""
