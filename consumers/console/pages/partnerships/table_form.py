"""The form of reconciliation: which columns of a table are the id, the date, the amount and the currency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final, Literal, cast

from consumers.documents.ledger.reconciliation import Finding
from consumers.ledger.reconcile import FIELDS, FileRow, reconcile
from events.faults.problems import Bilingual
from events.wire.envelope import full_type
from infra.tables.mapping import Column, MappingDocument
from infra.tables.rows import all_rows, mapped_rows

MAPPED: Final[Mapping[str, Bilingual]] = {
    "revenue.collected": Bilingual("المحصّل", "Collected receipts"),
    "revenue.reversed": Bilingual("المردود", "Reversals"),
    "revenue.paid-out": Bilingual("المصروف للشريك", "Payouts to the partner"),
}
_DELIMITERS: Final = {",": ",", ";": ";", "tab": "\t"}
_AMOUNTS: Final = {"riyals": "riyals", "halalas": "integer"}
_CURRENCY_NAMES: Final = frozenset({"currency", "عملة", "العملة"})


@dataclass(frozen=True, slots=True)
class TableForm:
    """What was given. Without `id_column` rows are matched by date and amount; without `currency_column` a column that
    is named so holds the currency."""

    kind: str = "revenue.collected"
    id_column: str = ""
    date_column: str = ""
    amount_column: str = ""
    amounts: str = "riyals"
    delimiter: str = ","
    encoding: str = "utf-8"
    currency_column: str = ""

    def fault(self) -> Bilingual | None:
        """What is missing or unknown."""
        if not self.date_column.strip() or not self.amount_column.strip():
            return Bilingual(
                "اكتب اسم عمود التاريخ واسم عمود المبلغ.", "Write the names of the date and amount columns."
            )
        known = self.kind in MAPPED and self.amounts in _AMOUNTS and self.delimiter in _DELIMITERS
        if not known or self.encoding not in ("utf-8", "windows-1256"):
            return Bilingual("اختر من القوائم.", "Choose from the lists.")
        return None

    def mapping(self, header: Sequence[str]) -> MappingDocument:
        """The mapping of a table with this header: every other column is ignored."""
        id_name, date_name = FIELDS[self.kind]
        amount_type = cast(Literal["riyals", "integer"], _AMOUNTS[self.amounts])
        columns = {
            self.date_column.strip(): Column(pointer=f"/data/{date_name}"),
            self.amount_column.strip(): Column(pointer="/data/amount_halalas", type=amount_type),
        }
        if self.id_column.strip():
            columns[self.id_column.strip()] = Column(pointer=f"/data/{id_name}")
        named = (name for name in header if name.strip().casefold() in _CURRENCY_NAMES and name not in columns)
        currency = self.currency_column.strip() or next(named, "")
        if currency:
            columns[currency] = Column(pointer="/data/currency")
        return self._plain().model_copy(
            update={
                "constants": {"/type": full_type(self.kind)},
                "columns": columns,
                "ignored_columns": [name for name in header if name not in columns],
            }
        )

    def header(self, table: BinaryIO) -> list[str]:
        """The names of the table's columns. Raises `WrongInput`."""
        first = next(all_rows(table, self._plain()), None)
        return [] if first is None else first.cells

    def _plain(self) -> MappingDocument:
        encoding = cast(Literal["utf-8", "windows-1256"], self.encoding)
        return MappingDocument(encoding=encoding, delimiter=_DELIMITERS[self.delimiter])


def findings_of(
    form: TableForm,
    table: BinaryIO,
    entries: Sequence[tuple[int, bytes]],
    strangers: frozenset[int] = frozenset(),
) -> list[Finding]:
    """The table compared with the entries of a partnership, without those of `strangers`. Raises `WrongInput`.

    Entries of agencies that do not own the partnership never count, and are not in what its partner may see.
    """
    mapping = form.mapping(form.header(table))
    rows = [FileRow(line, bound.event(cells).get("data", {})) for line, bound, cells in mapped_rows(table, mapping)]
    return reconcile(form.kind, rows, [entry for entry in entries if entry[0] not in strangers])
