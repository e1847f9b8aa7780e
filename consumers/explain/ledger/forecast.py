"""What a partnership may still bring and cost: its real history, folded on with one receipt for each remaining period.

The remaining periods are priced, closed and guaranteed by the same fold as the real ones, so that the forecast of a
period is what its statement would be. Nothing is written. There are three assumptions:

* `pace`: a period brings as much of its expected revenue as the closed ones brought of theirs, rounded down to the
  halala. Closed periods of which nothing was expected do not count; all is expected where no other is closed;
* `expected`: a period brings what is expected of it;
* `nothing`: nothing more comes. Only reversals of past receipts can make the top-ups higher.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from fractions import Fraction
from typing import Final, Literal, cast

from consumers.documents.document import document_of
from consumers.documents.ledger.forecasts import Forecast, ForecastPeriod, SupposedFigures, TopUps
from consumers.explain.ledger.folded import folded, statements_of
from consumers.explain.ledger.what_if import NothingSigned
from consumers.replay.fold.memory import WholeTables
from consumers.revenue.handlers.book import version_for
from consumers.revenue.rows import CONTRACT, EXPECTED, PERIOD, Contract, Statement
from events.values.calendar import CalendarName
from events.values.data import Data
from events.values.periods import days_of, next_period
from events.wire.codec import build_event
from events.wire.entry import Entry, entry_bytes, parse_entry

Assumption = Literal["pace", "expected", "nothing"]
ASSUMPTIONS: Final[tuple[Assumption, ...]] = ("pace", "expected", "nothing")
_ADDRESS: Final = "forecast/0/0"


def forecast(entries: Sequence[tuple[int, bytes]]) -> Forecast:
    """The forecast from the entries of one partnership. Raises `NothingSigned`."""
    real = [parse_entry(index, raw) for index, raw in entries]
    ledger = folded(real)
    contract = next(ledger.rows(CONTRACT), None)
    if contract is None:
        raise NothingSigned(NothingSigned.__doc__)
    expected = _expected(ledger, contract)
    so_far = {row.period: row.collected_halalas - row.reversed_halalas for row in ledger.rows(PERIOD)}
    closed = statements_of(ledger)
    pace = _pace(closed.values())
    factors: dict[Assumption, Fraction] = {
        "pace": Fraction(1) if pace is None else pace,
        "expected": Fraction(1),
        "nothing": Fraction(0),
    }
    supposed = {
        name: statements_of(folded([*real, *_remaining(contract, expected, so_far, factor, real[-1])]))
        for name, factor in factors.items()
    }
    periods = [
        ForecastPeriod(
            period=label,
            closed=label in closed,
            expected_halalas=amount,
            net_so_far_halalas=so_far.get(label, 0),
            **{name: document_of(SupposedFigures, asdict(supposed[name][label])) for name in ASSUMPTIONS},
        )
        for label, amount in expected.items()
        if all(label in statements for statements in supposed.values())
    ]
    to_come = [row for row in periods if not row.closed]
    top_ups = {name: sum(getattr(row, name).top_up_halalas for row in to_come) for name in ASSUMPTIONS}
    return Forecast(
        partnership_id=contract.partnership_id,
        pace=None if pace is None else str(pace),
        top_ups_to_come_halalas=TopUps(**top_ups),
        periods=tuple(periods),
    )


def _expected(ledger: WholeTables, contract: Contract) -> dict[str, int]:
    """Expected revenue of each period of the term, by the version in force for it."""
    listed = {(row.version, row.period): row.amount_halalas for row in ledger.rows(EXPECTED)}
    return {
        label: listed.get((version_for(contract.versions, label), label), 0)
        for label in _labels(contract.first_period, contract.last_period)
    }


def _labels(first: str, last: str) -> Iterator[str]:
    label = first
    while label <= last:
        yield label
        label = next_period(label)


def _pace(closed: Iterable[Statement]) -> Fraction | None:
    """Net to expected over the closed periods of which something was expected; None without such a period.

    Below zero counts as zero.
    """
    rows = [row for row in closed if row.expected_halalas]
    expected = sum(row.expected_halalas for row in rows)
    net = sum(row.net_halalas for row in rows)
    return Fraction(max(0, net), expected) if rows else None


def _remaining(
    contract: Contract, expected: Mapping[str, int], so_far: Mapping[str, int], factor: Fraction, last: Entry
) -> Iterator[Entry]:
    """One receipt and the closing of each period that is open or to come. What it has already brought is taken off."""
    index = last.index
    for label in _labels(contract.open_period or next_period(contract.last_period), contract.last_period):
        amount = int(expected[label] * factor) - so_far.get(label, 0)
        facts: list[tuple[str, Data]] = [("revenue.period-closed", {"period": label})]
        if amount > 0:
            receipt = {
                "receipt_id": f"forecast.{label}",
                "service_id": contract.services[0],
                "amount_halalas": amount,
                "collected_on": _day_of(contract, label),
                "receipts": 1,
            }
            facts.insert(0, ("revenue.collected", receipt))
        for kind, data in facts:
            index += 1
            yield _entry(index, kind, contract, data, last.recorded)


def _day_of(contract: Contract, label: str) -> str:
    """The last day of the period that the contract covers."""
    _, last = days_of(label, cast(CalendarName, contract.calendar))
    return min(last, contract.last_day)


def _entry(index: int, kind: str, contract: Contract, data: Data, recorded: str) -> Entry:
    event = build_event(
        type=kind,
        agency=contract.owner,
        id=f"forecast.{index}",
        subject=f"partnership/{contract.partnership_id}",
        time=recorded,
        data={"partnership_id": contract.partnership_id, **data},
    )
    return parse_entry(index, entry_bytes(recorded, _ADDRESS, event))
