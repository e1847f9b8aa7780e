"""What the pages say of a partnership: its state, what is owed and to whom, and what its accounts mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, Literal
from urllib.parse import parse_qs, urlsplit

from markupsafe import Markup

from consumers.console.web.language import Words
from consumers.ledger.forecast_chart import Amounts
from consumers.revenue.accounts import CHART
from consumers.revenue.show import balance_meaning
from events.faults.problems import Bilingual
from events.values.money import BASIS_POINTS
from events.wire.entry import TYPE_PREFIX

Row = Mapping[str, Any]
Direction = Literal["to-partner", "by-partner", "nothing"]
ACCOUNT_NAMES: Final = {line.kind: Bilingual(line.arabic, line.english) for line in CHART}


@dataclass(frozen=True, slots=True)
class State:
    """The state of a partnership; `kind` is that of a tag."""

    words: Bilingual
    kind: Literal["good", "quiet", "late"]


@dataclass(frozen=True, slots=True)
class Listed:
    """A partnership in the list, with its open period."""

    partnership: Row
    open_period: Row

    @property
    def state(self) -> State:
        return state_of(self.partnership)

    @property
    def owed(self) -> Direction:
        return owed(self.partnership["payable_halalas"])


def listed(partnerships: Sequence[Row], open_periods: Sequence[Row]) -> list[Listed]:
    """Each partnership with its open period."""
    by_id = {row["partnership_id"]: row for row in open_periods}
    nothing = {"period": None, "expected_halalas": 0, "net_halalas": 0}
    return [Listed(row, by_id.get(row["partnership_id"], nothing)) for row in partnerships]


def state_of(partnership: Row) -> State:
    """As the log has it."""
    if partnership["terminated_on"] is not None:
        return State(Bilingual("أُنهيت", "Terminated"), "late")
    if partnership["open_period"] is None:
        return State(Bilingual("كل فتراتها مقفلة", "All periods closed"), "quiet")
    return State(Bilingual("سارية", "In force"), "good")


def owed(payable_halalas: int) -> Direction:
    """Who owes it. A negative amount is owed by the partner."""
    if payable_halalas == 0:
        return "nothing"
    return "to-partner" if payable_halalas > 0 else "by-partner"


def account_meaning(account: Row) -> Bilingual:
    """What the balance of an account means."""
    return Bilingual(*balance_meaning(account["kind"], account["balance_halalas"]))


def chart_amounts(periods: Sequence[Row]) -> list[Amounts]:
    """What the chart of expected and actual revenue shows."""
    return [
        Amounts(
            row["period"],
            row["expected_halalas"],
            row["net_halalas"],
            row["top_up_halalas"] or 0,
            is_closed=row["closed"],
        )
        for row in periods
    ]


def forecast_amounts(forecast: Row) -> list[Amounts]:
    """The same of a forecast, at the pace so far."""
    return [
        Amounts(
            row["period"],
            row["expected_halalas"],
            row["pace"]["net_halalas"],
            row["pace"]["top_up_halalas"],
            is_closed=row["closed"],
        )
        for row in forecast["periods"]
    ]


def pace_basis_points(pace: str | None) -> int | None:
    """The pace of a forecast, rounded down: `79/100` is 7,900."""
    return None if pace is None else int(Fraction(pace) * BASIS_POINTS)


def after_of(address: str | None) -> str | None:
    """The cursor of the next page in the address of the read API."""
    found = parse_qs(urlsplit(address or "").query).get("after")
    return None if found is None else found[0]


def list_cells(rows: Sequence[Listed]) -> Iterator[tuple[int | str | None, ...]]:
    """Cells of the CSV file of the list."""
    for row in rows:
        own, period = row.partnership, row.open_period
        yield (
            *(own["partnership_id"], own["agency"], own["partner"]["partner_id"], own["partner"]["name"]["ar"]),
            *(own["partner"]["name"]["en"], " ".join(own["services"]), own["terminated_on"], period["period"]),
            *(period["expected_halalas"], period["net_halalas"], own["payable_halalas"]),
        )


LIST_COLUMNS: Final = (
    *("partnership_id", "agency", "partner_id", "partner_name_ar", "partner_name_en", "services", "terminated_on"),
    *("open_period", "expected_halalas", "net_halalas", "payable_halalas"),
)


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
