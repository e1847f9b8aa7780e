"""The log of one partnership, as commands and pages that compute get it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tests.oracle.log import EntryDict, make_entry, make_event
from tests.world.entries import TEXT, bytes_of
from tests.world.ledger import months, terms

EXPECTED = 1_000_00
AGREED: dict[str, Any] = {
    "bands": [{"up_to_halalas": None, "partner_bp": 7_000}],
    "expected": [{"period": label, "amount_halalas": EXPECTED} for label in months(1, 12)],
    "guarantee": {"partner_floor_bp_of_expected": 6_000, "recoverable": True},
}

DOCUMENT: dict[str, Any] = {
    "partnership_id": "P1",
    "agency": "health",
    "partner": {"partner_id": "CO", "name": TEXT},
    "services": ["S1", "S2"],
    "legal_basis": TEXT,
    "signed_on": "2004-12-01",
    "starts_on": "2005-01-01",
    "ends_on": "2005-12-31",
    "terminated_on": None,
    "calendar": "gregorian",
    "period": "month",
    "tier_basis": "lifetime",
    "first_period": "2005-01",
    "last_period": "2005-12",
    "closed_through": "2005-01",
    "open_period": "2005-02",
    "payable_halalas": -5,
    "top_up_outstanding_halalas": 0,
    "first_index": 0,
    "last_index": 9,
}
"""A partnership as the read API shows it."""


class History:
    """Entries of partnership P1, said one after another: its contract, which `changes` the agreed terms, and sums."""

    def __init__(self, *sums: tuple[int, str], **changes: Any) -> None:
        self.log: list[EntryDict] = []
        self.say(
            "partnership.signed",
            partner={"partner_id": "CO", "name": TEXT},
            services=["S1"],
            legal_basis=TEXT,
            signed_on="2004-12-01",
            terms=terms(**{**AGREED, **changes}),
        )
        for amount, on in sums:
            self.collect(amount, on)

    def say(self, kind: str, **data: Any) -> None:
        event = make_event(kind, "health", "partnership/P1", {"partnership_id": "P1", **data}, f"e{len(self.log)}")
        self.log.append(make_entry(len(self.log), event))

    def collect(self, amount: int, on: str, service: str = "S1") -> None:
        """A sum for a service; its receipt has the number of its entry."""
        receipt = {"receipt_id": f"R{len(self.log)}", "service_id": service, "receipts": 1}
        self.say("revenue.collected", **receipt, amount_halalas=amount, collected_on=on)

    def close(self, *labels: str) -> None:
        for label in labels:
            self.say("revenue.period-closed", period=label)

    def raw(self) -> list[tuple[int, bytes]]:
        return raw(self.log)


def raw(log: Sequence[EntryDict]) -> list[tuple[int, bytes]]:
    """Each entry's index and bytes."""
    return [(made["index"], bytes_of(made)) for made in log]


def numbered(entries: Iterable[EntryDict]) -> list[EntryDict]:
    """Some entries of a log, numbered anew: a log of its own for the oracle."""
    return [{**entry, "index": number} for number, entry in enumerate(entries)]
