"""Explanations of figures: the entries that made a figure, each with the value before and after it, and what an entry
about collected money records: a receipt, a reversal or a payout.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta, Struct

from consumers.documents.document import AgencyCode, Count, Date, EventType, Halalas, Instant, Label
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


Figure = Annotated[Any, Meta(description="A figure: a number, a text, a list or null.")]
Figures = dict[str, Figure]


class Change(Struct, frozen=True):
    before: Figure
    after: Figure

    @property
    def amount(self) -> int | None:
        """By how much a number changed; None for what is set for the first time, or is no number."""
        if any(not isinstance(value, int) or isinstance(value, bool) for value in (self.before, self.after)):
            return None
        amount: int = self.after - self.before
        return amount


class Step(Struct, frozen=True, kw_only=True):
    """An entry that changed figures. `waited`: the entries of events that came before their project or service was
    registered and took effect with this entry."""

    READ_FIRST: ClassVar = ("index", "type", "record", "agency")

    index: Annotated[Count, Label("القيد", "Entry")]
    recordedtime: Annotated[Instant, Label("سُجّل", "Recorded", drop=4)]
    type: Annotated[EventType, Label("الحدث", "Event", drop=2)]
    agency: Annotated[AgencyCode, Label("الجهة", "Agency", drop=3)]
    subject: str
    id: Annotated[str | None, Meta(description="Null where it is another agency's.")]
    data: Annotated[Data | None, Meta(description="Null where it is another agency's.")]
    waited: tuple[Count, ...]
    changes: dict[str, Change]

    @property
    def record(self) -> Annotated[Record | None, Label("الإيصال", "Receipt", drop=1)]:
        """The receipt, reversal or payout."""
        return record_of(self.type, self.data)


class WholeStep(Step, frozen=True, kw_only=True):
    """The step for callers who may read the event: its id and data are not null."""

    id: str
    data: Data


class Formula(Struct, frozen=True, kw_only=True):
    """In words, and with its numbers."""

    ar: str
    en: str
    numbers: str


class DerivedFigure(Struct, frozen=True, kw_only=True):
    """A figure, its formula and the amounts in it."""

    field: str
    value: Figure
    formula: Formula
    amounts: Figures


class EarlierSteps(Struct, kw_only=True):
    """The steps before those that are shown. `after`: the figures after the last of them."""

    count: Count
    first_index: Count
    last_index: Count
    after: Figures


class Explanation(Struct, frozen=True, kw_only=True):
    """`figures`: from the live tables where there are any, else from the fold's rows. `ok`: the steps give them."""

    model: str
    key: str
    field: str | None
    log_index: Count
    is_complete: bool
    figures: Figures
    start: Figures
    total: Figures
    ok: bool
    steps_count: Count
    earlier: EarlierSteps | None
    steps: tuple[Step, ...]

    @property
    def before(self) -> int | None:
        """The number of entries after which the steps before these are explained; None where there are none."""
        return self.steps[0].index if self.earlier is not None and self.steps else None

    @property
    def wrong(self) -> list[str]:
        """The figures that the steps do not give."""
        return [name for name, value in self.figures.items() if value != self.total[name]]
