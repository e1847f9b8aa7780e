"""The keys that a batch needs, in two rounds: ids in the entries, then keys that depend on the rows loaded.

A contract's fixed terms (start, calendar, kind of period, basis of its tiers) decide the periods and windows of dates.
They are in the contract's row or, if the batch signs the contract, in its first `partnership.signed`. Of a contract's
versions only those are loaded that are in force for a period of the batch, since a contract may have a hundred.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, cast

from consumers.replay.fold.anomaly import COUNTED
from consumers.revenue.accounts import account_name, kinds_of
from consumers.revenue.handlers.book import version_for, window_of
from consumers.revenue.handlers.contracts import new_contract
from consumers.revenue.rows import ACCOUNT, CONTRACT, EXPECTED, PAYOUT, PERIOD, RECEIPT, REVERSAL, VERSION, WINDOW
from events.values.calendar import CalendarName
from events.values.periods import PeriodKind, next_period, period_kind, period_of
from events.wire.entry import Entry
from infra.postgres.unit_of_work import Need, UnitOfWork

_REACH_THE_LAST_PERIOD: Final = frozenset({"partnership.amended", "partnership.terminated", "revenue.reversed"})
"""What is dated after the last day is posted to the last period."""


def required_keys(rows: UnitOfWork, entries: Sequence[Entry]) -> Iterator[Iterable[Need]]:
    """First round: contracts, accounts and ids. Second: versions, windows, periods, expected revenue.

    `entries` are those that a handler applies.
    """
    by_partnership: dict[str, list[Entry]] = {}
    for entry in entries:
        by_partnership.setdefault(entry.data["partnership_id"], []).append(entry)
    if not by_partnership:
        return
    yield _named(by_partnership)
    yield [need for key, own in by_partnership.items() for need in _dependent(rows, key, own)]


def _named(by_partnership: dict[str, list[Entry]]) -> Iterator[Need]:
    yield COUNTED
    for partnership_id, entries in by_partnership.items():
        yield CONTRACT, (partnership_id,)
        for kind in kinds_of(frozenset(entry.type for entry in entries)):
            yield ACCOUNT, (account_name(kind, partnership_id),)
        for entry in entries:
            data = entry.data
            match entry.type:
                case "revenue.collected":
                    yield RECEIPT, (partnership_id, data["receipt_id"])
                case "revenue.reversed":
                    yield REVERSAL, (partnership_id, data["reversal_id"])
                    yield RECEIPT, (partnership_id, data["reverses"])
                case "revenue.paid-out":
                    yield PAYOUT, (partnership_id, data["payout_id"])
                case "settlement.issued":
                    yield PERIOD, (partnership_id, data["period"])


def _dependent(rows: UnitOfWork, partnership_id: str, entries: list[Entry]) -> Iterator[Need]:
    """The keys that a batch may need of one partnership, given its fixed terms.

    None if the contract is not signed: then every entry is an anomaly and needs no more rows.
    """
    known = contract = rows.get(CONTRACT, partnership_id)
    if contract is None:
        first = next((entry for entry in entries if entry.type == "partnership.signed"), None)
        if first is None:
            return
        contract = new_contract(first)
    calendar, kind = cast(CalendarName, contract.calendar), cast(PeriodKind, contract.period_kind)
    versions = [] if known is None else known.versions  # before the batch, which may add later ones
    closing: set[str] = set()
    days: set[str] = set()
    collected_on: set[str] = set()
    windows: set[int] = set()
    added = 0
    for entry in entries:
        data = entry.data
        match entry.type:
            case "revenue.collected":
                collected_on.add(data["collected_on"])
            case "revenue.reversed":
                days.add(data["reversed_on"])
                receipt = rows.get(RECEIPT, partnership_id, data["reverses"])
                if receipt is not None:
                    windows.add(receipt.window_number)
                    collected_on.add(receipt.collected_on)
            case "revenue.period-closed" if period_kind(data["period"]) == kind:
                closing.add(data["period"])
            case "partnership.signed" | "partnership.amended":
                added += 1
                days.add(data["terms"]["ends_on"])
            case "partnership.terminated":
                days.add(data["on"])
    starts_on = contract.starts_on
    windows.update(window_of(day, starts_on, calendar, contract.tier_basis) for day in collected_on if day >= starts_on)
    yield from ((WINDOW, (partnership_id, window)) for window in windows)
    closed_through = contract.closed_through
    labels = {contract.first_period if closed_through is None else next_period(closed_through)}
    if known is not None and any(entry.type in _REACH_THE_LAST_PERIOD for entry in entries):
        labels.add(contract.last_period)
    priced = {period_of(day, calendar, kind) for day in collected_on}
    labels.update(priced, closing, map(next_period, closing), (period_of(day, calendar, kind) for day in days))
    yield from ((PERIOD, (partnership_id, label)) for label in labels)
    new = range(len(versions), len(versions) + added)
    for version in {*_in_force(versions, priced | closing), *new}:
        yield VERSION, (partnership_id, version)
    for label in closing:
        for version in {*_in_force(versions, {label}), *new}:
            yield EXPECTED, (partnership_id, version, label)


def _in_force(versions: Sequence[str], labels: set[str]) -> set[int]:
    """The versions that are in force for these periods."""
    return {version_for(versions, label) for label in labels if versions and label >= versions[0]}
