"""Receipts and reversals (R3, R4, R6, R8, R9): events in, rules and transfers out."""

from __future__ import annotations

from consumers.replay.fold.anomaly import ANOMALY, TABLES
from consumers.revenue.rows import RECEIPT, WINDOW
from events.values.money import INTEGER_MAX
from tests.every import every
from tests.world.ledger import Ledger, months, signed

NO_ANOMALY: dict[str, list[object]] = {table.name: [] for table in TABLES}


def windows(ledger: Ledger) -> dict[int, int]:
    return {row.window_number: row.cumulative_halalas for row in ledger.store.rows(WINDOW)}


def test_a_receipt_is_shared_between_partner_and_treasury_and_a_reversal_goes_the_other_way_round() -> None:
    ledger = signed()
    assert ledger.collect("R1", 1201, "2005-01-05") is None
    assert ledger.reverse("V1", "R1", 1201, "2005-02-01") is None
    assert ledger.transfers() == [
        (1, "receipt-partner", "2005-01", "collections:P1", "partner-payable:P1", 800),
        (1, "receipt-treasury", "2005-01", "collections:P1", "treasury-share:P1", 401),
        (2, "reversal-partner", "2005-02", "partner-payable:P1", "collections:P1", 800),
        (2, "reversal-treasury", "2005-02", "treasury-share:P1", "collections:P1", 401),
    ]


@every(
    ("rule", "receipt", "on", "agency", "service"),
    [
        ("not-owner", "R1", "2005-01-06", "justice", "S9"),
        ("already-collected", "R1", "2004-01-06", "health", "S9"),
        ("unknown-service", "R2", "2004-01-06", "health", "S9"),
        ("not-allowed-now", "R2", "2004-12-31", "health", "S1"),
        ("not-allowed-now", "R2", "2006-01-01", "health", "S1"),
    ],
)
def test_a_receipts_first_anomaly(rule: str, receipt: str, on: str, agency: str, service: str) -> None:
    ledger = signed()
    ledger.collect("R1", 10, "2005-01-06")
    before = ledger.store.state()
    assert ledger.collect(receipt, 10, on, agency, service) == rule
    assert {**ledger.store.state(), **NO_ANOMALY} == {**before, **NO_ANOMALY}


@every(
    ("rule", "reversal", "receipt", "amount", "on", "agency"),
    [
        ("not-owner", "V1", "R1", 1, "2005-01-10", "justice"),
        ("already-reversed", "V1", "R9", 1, "2005-01-10", "health"),
        ("unknown-receipt", "V2", "R9", 999, "2005-01-01", "health"),
        ("not-allowed-now", "V2", "R1", 999, "2005-01-09", "health"),
        ("exceeds-remainder", "V2", "R1", 61, "2005-01-10", "health"),
    ],
)
def test_a_reversals_first_anomaly(rule: str, reversal: str, receipt: str, amount: int, on: str, agency: str) -> None:
    ledger = signed()
    ledger.collect("R1", 100, "2005-01-10")
    assert ledger.reverse("V1", "R1", 40, "2005-01-10") is None
    before = ledger.store.state()
    assert ledger.reverse(reversal, receipt, amount, on, agency) == rule
    assert {**ledger.store.state(), **NO_ANOMALY} == {**before, **NO_ANOMALY}
    assert ledger.reverse("V2", "R1", 60, "2005-01-10") is None, "the whole remainder"
    assert ledger.reverse("V3", "R1", 1, "2005-01-10") == "exceeds-remainder"


def test_an_anomaly_shows_both_sides() -> None:
    ledger = signed()
    ledger.collect("R1", 10, "2006-06-06")
    (row,) = ledger.store.rows(ANOMALY)
    assert (row.index, row.found_index, row.type) == (1, 1, "sa.gov.yesser.revenue.collected.v1")
    assert (row.subject, row.agency) == ("partnership/P1", "health")
    assert row.claimed["collected_on"] == "2006-06-06"
    assert row.known["last_day"] == "2005-12-31"


def test_the_receipts_of_a_contract_sum_to_what_an_integer_can_say() -> None:
    ledger = signed()
    assert ledger.collect("R1", INTEGER_MAX, "2005-01-06") is None
    assert ledger.reverse("V1", "R1", INTEGER_MAX, "2005-01-06") is None
    assert ledger.collect("R2", 1, "2005-01-06") == "not-allowed-now"


def test_a_receipt_dated_in_a_closed_period_is_posted_to_the_open_one_while_there_is_one() -> None:
    ledger = signed()
    ledger.close("2005-01", "2005-02")
    ledger.collect("R1", 10, "2005-01-31")
    ledger.collect("R2", 10, "2005-05-01")
    assert [row.period for row in ledger.store.rows(RECEIPT)] == ["2005-03", "2005-05"]
    ledger.close(*months(3, 12))
    assert ledger.collect("R3", 10, "2005-12-31") == "not-allowed-now"


def test_a_reversal_dated_after_the_last_day_belongs_to_the_last_period_until_all_are_closed() -> None:
    ledger = signed()
    ledger.collect("R1", 100, "2005-01-10")
    ledger.terminate("2005-02-15")
    ledger.close("2005-01")
    assert ledger.reverse("V1", "R1", 10, "2005-07-07") is None
    assert ledger.transfers()[-1][2] == "2005-02"
    ledger.close("2005-02")
    assert ledger.statement("2005-02").prior_period_halalas == 0
    assert ledger.reverse("V2", "R1", 10, "2005-07-07") == "not-allowed-now"


@every(
    ("changes", "days", "expected"),
    [
        ({}, ["2005-01-10", "2006-01-10"], {0: 20}),
        (
            {"starts_on": "2004-02-29", "tier_basis": "contract-year"},
            ["2004-02-29", "2005-02-27", "2005-02-28", "2006-02-27", "2006-02-28"],
            {1: 20, 2: 20, 3: 10},
        ),
        # 1 Muharram 1426 and 1427
        (
            {"starts_on": "2005-02-10", "calendar": "umm-al-qura", "tier_basis": "contract-year"},
            ["2006-01-30", "2006-01-31"],
            {1: 10, 2: 10},
        ),
    ],
)
def test_a_window_is_the_whole_life_or_a_year_from_one_anniversary_to_the_next(
    changes: dict[str, str], days: list[str], expected: dict[int, int]
) -> None:
    ledger = signed(ends_on="2006-12-31", **changes)
    for number, day in enumerate(days):
        ledger.collect(f"R{number}", 10, day)
    assert windows(ledger) == expected


def test_a_reversal_is_priced_in_the_window_and_by_the_version_of_its_receipt() -> None:
    ledger = signed(ends_on="2006-12-31", tier_basis="contract-year")
    ledger.collect("R1", 1100, "2005-12-31")
    free = [{"up_to_halalas": None, "partner_bp": 0}]
    ledger.amend("2006-01", ends_on="2006-12-31", tier_basis="contract-year", bands=free)
    ledger.collect("R2", 100, "2006-01-01")
    ledger.reverse("V1", "R1", 100, "2006-02-02")
    assert windows(ledger) == {1: 1000, 2: 100}
    assert ledger.transfers()[-2][1:] == ("reversal-partner", "2006-02", "partner-payable:P1", "collections:P1", 50)
