"""Of a contract with many versions only those are loaded that are in force for a period of the batch."""

from __future__ import annotations

from typing import Any

from consumers.revenue.consumer import CONSUMER
from consumers.revenue.rows import EXPECTED, VERSION
from events.values.periods import next_period
from infra.postgres.unit_of_work import Key, Table, UnitOfWork
from tests.oracle.log import make_entry, make_event
from tests.world.entries import entry_of
from tests.world.ledger import RECORDED, Ledger, signed

AMENDMENTS = 100


def loaded(ledger: Ledger, kind: str, **data: Any) -> dict[Table[Any], set[Key]]:
    """The keys that a batch with this one event loads, by table."""
    event = make_event(kind, "health", "partnership/P1", {"partnership_id": "P1", **data}, "x")
    entry = entry_of(make_entry(len(ledger.entries), event, RECORDED))
    found: dict[Table[Any], set[Key]] = {}
    rows = UnitOfWork()
    for required_keys in CONSUMER.required_keys(rows, [entry]):
        missing = rows.missing(required_keys)
        for table, keys in missing.items():
            found.setdefault(table, set()).update(keys or ())
        ledger.store.load(rows, missing)
    return found


def test_a_receipt_and_a_closing_load_the_version_of_their_period_and_what_prices_nothing_loads_none() -> None:
    """A contract over ten years, with an amendment for each month after the first."""
    ledger, label = signed(ends_on="2014-12-31"), "2005-01"
    for _ in range(AMENDMENTS):
        label = next_period(label)
        assert ledger.amend(label, ends_on="2014-12-31") is None
    for on, version in (("2005-01-31", 0), ("2005-02-01", 1), ("2012-07-09", 90), ("2014-12-31", 100)):
        receipt = {"receipt_id": "R1", "service_id": "S1", "amount_halalas": 1, "collected_on": on, "receipts": 1}
        assert loaded(ledger, "revenue.collected", **receipt)[VERSION] == {("P1", version)}, on
    before = {**receipt, "collected_on": "2004-12-31"}
    assert VERSION not in loaded(ledger, "revenue.collected", **before), "a date before the contract"
    closing = loaded(ledger, "revenue.period-closed", period="2005-03")
    assert (closing[VERSION], closing[EXPECTED]) == ({("P1", 2)}, {("P1", 2, "2005-03")})
    paid = {"payout_id": "O1", "amount_halalas": 1, "paid_on": "2005-02-01"}
    assert VERSION not in loaded(ledger, "revenue.paid-out", **paid)
