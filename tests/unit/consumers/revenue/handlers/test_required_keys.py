"""Of a contract with many versions only those are loaded that are in force for a period of the batch."""

from __future__ import annotations

from typing import Any

import pytest

from consumers.revenue.consumer import CONSUMER
from consumers.revenue.rows import EXPECTED, VERSION
from events.values.periods import next_period
from events.wire.entry import Entry
from infra.postgres.unit_of_work import Key, Table, UnitOfWork
from tests.oracle.log import make_entry, make_event
from tests.world.entries import entry_of
from tests.world.ledger import Ledger, signed

AMENDMENTS = 100


@pytest.fixture(scope="module")
def amended() -> Ledger:
    """A contract over ten years, with an amendment for each month after the first."""
    ledger = signed(ends_on="2014-12-31")
    label = "2005-01"
    for _ in range(AMENDMENTS):
        label = next_period(label)
        assert ledger.amend(label, ends_on="2014-12-31") is None
    return ledger


def loaded(ledger: Ledger, kind: str, **data: Any) -> dict[Table[Any], set[Key]]:
    """The keys that a batch with this one event loads, by table."""
    event = make_event(kind, "health", "partnership/P1", {"partnership_id": "P1", **data}, "x")
    entry: Entry = entry_of(make_entry(len(ledger.entries), event, "2005-06-01T08:00:00.000000Z"))
    found: dict[Table[Any], set[Key]] = {}
    rows = UnitOfWork()
    for required_keys in CONSUMER.required_keys(rows, [entry]):
        missing = rows.missing(required_keys)
        for table, keys in missing.items():
            found.setdefault(table, set()).update(keys or ())
        ledger.store.load(rows, missing)
    return found


def receipt(on: str) -> dict[str, Any]:
    return {"receipt_id": "R1", "service_id": "S1", "amount_halalas": 1, "collected_on": on, "receipts": 1}


@pytest.mark.parametrize(
    ("on", "version"), [("2005-01-31", 0), ("2005-02-01", 1), ("2012-07-09", 90), ("2014-12-31", 100)]
)
def test_a_receipt_loads_the_version_of_its_period(amended: Ledger, on: str, version: int) -> None:
    assert loaded(amended, "revenue.collected", **receipt(on))[VERSION] == {("P1", version)}


def test_a_closing_loads_the_version_and_the_expected_revenue_of_its_period(amended: Ledger) -> None:
    found = loaded(amended, "revenue.period-closed", period="2005-03")
    assert found[VERSION] == {("P1", 2)}
    assert found[EXPECTED] == {("P1", 2, "2005-03")}


def test_an_event_that_prices_nothing_loads_no_version(amended: Ledger) -> None:
    found = loaded(amended, "revenue.paid-out", payout_id="O1", amount_halalas=1, paid_on="2005-02-01")
    assert VERSION not in found


def test_a_date_before_the_contract_loads_no_version(amended: Ledger) -> None:
    assert VERSION not in loaded(amended, "revenue.collected", **receipt("2004-12-31"))
