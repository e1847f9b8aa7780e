"""What the pages show of a partnership: a row of the list, its chart, and the steps of a figure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from markupsafe import Markup
from msgspec.structs import asdict

from consumers.console.visit import Visit
from consumers.console.web.language import Words
from consumers.documents.document import document_of, documents_of
from consumers.documents.partnerships import ListedPartnership, Partnership, PartnershipAndTerms
from events.wire.entry import TYPE_PREFIX

Row = Mapping[str, Any]


def listed(partnerships: Iterable[Row], open_periods: Iterable[Row]) -> list[ListedPartnership]:
    """Each partnership with its open period."""
    by_id = {row["partnership_id"]: {**row, "open_period": row["period"]} for row in open_periods}
    nothing = {"open_period": None, "expected_halalas": 0, "net_halalas": 0}
    return [
        document_of(
            ListedPartnership,
            {**asdict(own), **by_id.get(own.partnership_id, nothing)},
            partner_id=own.partner.partner_id,
            partner_name=own.partner.name,
        )
        for own in documents_of(Partnership, partnerships)
    ]


async def partnership_of(visit: Visit, partnership_id: str) -> PartnershipAndTerms:
    return document_of(PartnershipAndTerms, (await visit.read(f"/v1/partnerships/{partnership_id}")).document)


def after_of(address: str | None) -> str | None:
    """The cursor of the next page in the address of the read API."""
    found = parse_qs(urlsplit(address or "").query).get("after")
    return None if found is None else found[0]


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


def step_rows(explained: Row, field: str) -> list[StepRow]:
    """The entries of an explained figure, in log order."""
    rows = []
    for step in explained["steps"]:
        moved = step["changes"][field]
        before, after = moved["before"], moved["after"]
        is_sum = isinstance(before, int) and isinstance(after, int) and field.endswith("_halalas")
        own = step["index"], short_type(step["type"]), step["agency"], step["recordedtime"]
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
