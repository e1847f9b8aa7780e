"""What an entry about collected money records: a receipt, a reversal or a payout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

from msgspec import Struct

from consumers.documents.document import Date, Halalas, Label
from events.values.data import Data

FIELDS: Final[Mapping[str, tuple[str, str]]] = {
    "revenue.collected": ("receipt_id", "collected_on"),
    "revenue.reversed": ("reversal_id", "reversed_on"),
    "revenue.paid-out": ("payout_id", "paid_on"),
}
"""Type of the event → the members of `data` with its id and its date."""


class Record(Struct, frozen=True, kw_only=True):
    """As its agency numbered and dated it."""

    id: Annotated[str, Label("الرقم", "Number")]
    dated_on: Annotated[Date, Label("التاريخ", "Date")]
    amount_halalas: Annotated[Halalas, Label("المبلغ", "Amount")]


def record_of(type_: str, data: Data | None) -> Record | None:
    """None for an event of another type, and where its data may not be read."""
    if type_ not in FIELDS or data is None:
        return None
    id_name, date_name = FIELDS[type_]
    return Record(id=data[id_name], dated_on=data[date_name], amount_halalas=data["amount_halalas"])
