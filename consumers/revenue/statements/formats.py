"""The formats of a statement: a page, paper, a workbook, and for programs every receipt with its arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from consumers.documents.ledger.statements import exact_halalas
from consumers.revenue.statements.days import statement_days
from consumers.revenue.statements.paper import Paper, statement_paper
from consumers.revenue.statements.rendering import to_html, to_pdf
from consumers.revenue.statements.workbook import statement_workbook
from consumers.revenue.statements.working import StatementParts, bands_of
from infra.command_line.table_files import WRITERS, Columns

_TEXTS: Final = frozenset({"id", "dated_on", "service_id", "band", "band_amount_halalas", "band_share_halalas"})
_NAMES: Final = (
    "index", "id", "dated_on", "service_id", "contract_version", "window", "amount_halalas",
    "cumulative_before_halalas", "cumulative_after_halalas", "partner_halalas", "treasury_halalas",
    "band", "band_amount_halalas", "band_rate_bp", "band_share_halalas",
)  # fmt: skip
COLUMNS: Final[Columns] = {name: "VARCHAR" if name in _TEXTS else "BIGINT" for name in _NAMES}
"""Amounts are whole halalas; fractions of one are texts such as `79/20`."""


@dataclass(frozen=True, slots=True)
class Format:
    """A media type, and the function that writes a statement as one."""

    media_type: str
    render: Callable[[StatementParts], bytes]


def posting_rows(parts: StatementParts) -> Iterator[tuple[int | str, ...]]:
    """Rows of `COLUMNS`, in log order: of each posting one for each band that it moved through."""
    bands = {version.version: bands_of(version.terms) for version in parts.partnership.versions}
    for posting in parts.postings:
        before, after = posting.before_halalas, posting.after_halalas
        own = (
            posting.index, posting.id, posting.dated_on, posting.service_id, posting.contract_version,
            posting.window_number, posting.amount_halalas, before, after, posting.partner_halalas,
            posting.treasury_halalas,
        )  # fmt: skip
        for band in bands[posting.contract_version]:
            if amount := band.part(before, after):
                yield (*own, band.kind, exact_halalas(amount), band.rate_bp, exact_halalas(band.share(amount)))


def _printed(parts: StatementParts) -> Paper:
    """The statement with its working and its lines by day."""
    days = statement_days(parts.partnership.versions, parts.postings)
    return statement_paper(parts, days)


def _table(name: str) -> Callable[[StatementParts], bytes]:
    def render(parts: StatementParts) -> bytes:
        with TemporaryDirectory() as folder:
            path = Path(folder, f"statement.{name}")
            WRITERS[name](path, COLUMNS, posting_rows(parts))
            return path.read_bytes()

    return render


FORMATS: Final[Mapping[str, Format]] = {
    "html": Format("text/html", lambda parts: to_html(_printed(parts)).encode()),
    "pdf": Format("application/pdf", lambda parts: to_pdf(_printed(parts))),
    "csv": Format("text/csv", _table("csv")),
    "xlsx": Format("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", statement_workbook),
    "parquet": Format("application/vnd.apache.parquet", _table("parquet")),
}
"""By the name of the format, which is also the ending of its file."""
