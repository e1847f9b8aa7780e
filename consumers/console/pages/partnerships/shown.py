"""What the pages show of a partnership: a row of the list, its chart, and the steps of a figure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup
from msgspec.structs import asdict

from consumers.console.visit import Visit
from consumers.console.web.language import Words
from consumers.documents.document import document_of
from consumers.documents.ledger.partnerships import ListedPartnership, Partnership, PartnershipAndTerms
from consumers.documents.ledger.periods import OpenPeriod
from consumers.documents.log.explanations import Step
from consumers.read_api.resources.partnerships import partnership_for
from events.wire.entry import TYPE_PREFIX


def listed(partnerships: Iterable[Partnership], open_periods: Iterable[OpenPeriod]) -> list[ListedPartnership]:
    """Each partnership with its open period."""
    by_id = {row.partnership_id: {**asdict(row), "open_period": row.period} for row in open_periods}
    nothing = {"open_period": None, "expected_halalas": 0, "net_halalas": 0}
    return [
        document_of(
            ListedPartnership,
            {**asdict(own), **by_id.get(own.partnership_id, nothing)},
            partner_id=own.partner.partner_id,
            partner_name=own.partner.name,
        )
        for own in partnerships
    ]


async def partnership_of(visit: Visit, partnership_id: str) -> PartnershipAndTerms:
    return (await visit.ask(partnership_for, partnership_id)).document


@dataclass(frozen=True, slots=True)
class StepRow:
    """An entry that changed a figure. `change` is None where the figure is no sum."""

    index: int
    type: str
    agency: str
    recorded: str
    before: int | None
    after: int | None
    change: int | None


def step_rows(steps: Iterable[Step], field: str) -> list[StepRow]:
    """The entries of an explained figure, in log order."""
    rows = []
    for step in steps:
        before, after = step.changes[field].before, step.changes[field].after
        is_sum = isinstance(before, int) and isinstance(after, int) and field.endswith("_halalas")
        own = step.index, short_type(step.type), step.agency, step.recordedtime
        rows.append(StepRow(*own, before, after, after - before if is_sum else None))
    return rows


def short_type(kind: str) -> str:
    """`revenue.collected` of its full type."""
    return kind.removeprefix(TYPE_PREFIX).rpartition(".")[0] if kind.startswith(TYPE_PREFIX) else kind


def amount_shown(words: Words, name: str, value: int | None) -> Markup | str:
    """An amount by its name: riyals, per cent, or a number."""
    if value is None:
        return "—"
    if name.endswith("_bp"):
        return words.percent(value)
    return words.money(value) if name.endswith("_halalas") else words.number(value)
