"""Prices the real history of a partnership under other terms, and compares every closed period. Nothing is written.

Flows in: the partnership's entries and terms. Flows out: what each party got, and would have got. The other terms hold
from the signing on: amendments are left out.

The revenue ledger of some entries, in memory: supposed histories are folded like real ones.

What a partnership may still bring and cost: its real history, folded on with one receipt for each remaining period.

The remaining periods are priced, closed and guaranteed by the same fold as the real ones, so that the forecast of a
period is what its statement would be. Nothing is written. There are three assumptions:

* `pace`: a period brings as much of its expected revenue as the closed ones brought of theirs, rounded down to the
  halala. Closed periods of which nothing was expected do not count; all is expected where no other is closed;
* `expected`: a period brings what is expected of it;
* `nothing`: nothing more comes. Only reversals of past receipts can make the top-ups higher.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from fractions import Fraction
from itertools import islice
from typing import Any, Final, Literal, cast

import orjson

from consumers.documents.document import document_of
from consumers.documents.ledger.forecasts import (
    ComparedPeriod,
    Forecast,
    ForecastPeriod,
    PricedFigures,
    SupposedFigures,
    TopUps,
    WhatIf,
)
from consumers.replay.fold.anomaly import ANOMALY
from consumers.replay.fold.memory import WholeTables
from consumers.revenue.consumer import CONSUMER as REVENUE
from consumers.revenue.handlers.book import version_for
from consumers.revenue.rows import CONTRACT, EXPECTED, PERIOD, STATEMENT, Contract, Statement
from events.errors import YesserError
from events.validation.validate import validate_form
from events.validation.verdicts import Agency, Refused
from events.values.calendar import CalendarName
from events.values.data import Data
from events.values.periods import days_of, next_period
from events.wire.codec import build_event
from events.wire.entry import Entry, entry_bytes, event_bytes, parse_entry

BATCH_ENTRIES: Final = 8_192
_HEADERS = [("content-type", b"application/cloudevents+json")]
RawEvent = dict[str, Any]
"""An event as JSON, whose terms are not validated yet."""
_LEFT_OUT: Final = frozenset({"partnership.amended", "settlement.issued"})
"""Entries of the real history that state its terms or its figures."""
Assumption = Literal["pace", "expected", "nothing"]
ASSUMPTIONS: Final[tuple[Assumption, ...]] = ("pace", "expected", "nothing")
_ADDRESS: Final = "forecast/0/0"


def folded(entries: Iterable[Entry]) -> WholeTables:
    """The ledger after these entries, in log order."""
    rows, left = WholeTables(REVENUE.tables), iter(entries)
    while batch := list(islice(left, BATCH_ENTRIES)):
        REVENUE.fold(rows, batch)
    return rows


def statements_of(ledger: WholeTables) -> dict[str, Statement]:
    """By period."""
    return {row.period: row for row in ledger.rows(STATEMENT)}


class WrongTerms(YesserError):
    """The terms have faults; each is listed with its pointer."""


class NothingSigned(YesserError):
    """No entry signs this partnership: `yesser ledger partnerships` lists the known ones."""


def what_if(partnership_id: str, entries: Sequence[tuple[int, bytes]], terms: Data) -> WhatIf:
    """Compare. `terms` replace members of the terms as signed. Raises `WrongTerms` or `NothingSigned`."""
    real = [parse_entry(index, raw) for index, raw in entries]
    actual, anomalies = _statements(real)
    supposed, further = _statements(_under(real, entries, terms))
    periods = sorted({*actual, *supposed})
    return WhatIf(
        partnership_id=partnership_id,
        periods=tuple(_compared(period, actual.get(period), supposed.get(period)) for period in periods),
        uncounted=tuple(sorted(further - anomalies)),
    )


def _compared(period: str, actual: Statement | None, supposed: Statement | None) -> ComparedPeriod:
    sides = [None if side is None else document_of(PricedFigures, asdict(side)) for side in (actual, supposed)]

    def difference(figure: str) -> int | None:
        return None if actual is None or supposed is None else getattr(supposed, figure) - getattr(actual, figure)

    return ComparedPeriod(
        period=period,
        actual=sides[0],
        what_if=sides[1],
        partner_difference_halalas=difference("partner_total_halalas"),
        treasury_difference_halalas=difference("treasury_total_halalas"),
    )


def require_terms(entries: Sequence[tuple[int, bytes]], terms: Data) -> None:
    """Raises `WrongTerms` or `NothingSigned` as `what_if` does, and prices nothing."""
    _under([parse_entry(index, raw) for index, raw in entries], entries, terms)


def _under(real: Sequence[Entry], entries: Sequence[tuple[int, bytes]], terms: Data) -> list[Entry]:
    """The same history with other terms from the signing on."""
    signed = next((number for number, entry in enumerate(real) if entry.type == "partnership.signed"), None)
    if signed is None:
        raise NothingSigned(NothingSigned.__doc__)
    entry, (index, raw) = real[signed], entries[signed]
    event = orjson.loads(event_bytes(raw))
    event["data"]["terms"] = {**event["data"]["terms"], **terms}
    changed = _written(event)
    verdict = validate_form(changed, _HEADERS, Agency(entry.agency, "agency"))
    if isinstance(verdict, Refused):
        faults = "; ".join(f"{f.pointer.removeprefix('/data/terms') or '/'}: {f.detail}" for f in verdict.faults)
        raise WrongTerms(faults)
    replaced = parse_entry(index, entry_bytes(entry.recorded, entry.address, changed))
    others = [other for other in real[signed + 1 :] if other.type not in _LEFT_OUT]
    return [*real[:signed], replaced, *others]


def _written(event: RawEvent) -> bytes:
    """The event as JSON. Raises `WrongTerms` if it is too deep to write.

    What orjson does not write (a number beyond 64 bits, half of a surrogate pair) is written all the same, for
    validation to refuse at its pointer.
    """
    try:
        return orjson.dumps(event)
    except TypeError:
        pass
    try:
        return json.dumps(event).encode()
    except RecursionError:
        raise WrongTerms("/: The terms are nested too deep; flatten them.") from None


def _statements(entries: Sequence[Entry]) -> tuple[dict[str, Statement], frozenset[int]]:
    """The statements by period, and the indexes of anomalies."""
    ledger = folded(entries)
    return statements_of(ledger), frozenset(row.index for row in ledger.rows(ANOMALY))


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
