"""The form of a contract's terms (§2)."""

from __future__ import annotations

from itertools import pairwise

from tests.oracle.calendars import periods_between
from tests.oracle.form import (
    basis_points,
    boolean,
    calendar,
    day,
    items,
    natural,
    nullable,
    one_of,
    period,
    positive,
    record,
    within,
)
from tests.oracle.reading import Fault

MEMBERS = {
    "starts_on": day,
    "ends_on": day,
    "calendar": calendar,
    "period": one_of("month", "quarter"),
    "tier_basis": one_of("lifetime", "contract-year"),
    "bands": items(record({"up_to_halalas": nullable(positive), "partner_bp": basis_points}), 1, 50),
    "cap": nullable(record({"amount_halalas": natural, "partner_bp_after": basis_points})),
    "guarantee": nullable(record({"partner_floor_bp_of_expected": basis_points, "recoverable": boolean})),
    "expected": items(record({"period": period, "amount_halalas": natural}), 0, 400),
}
MEMBER_FORM = record(MEMBERS)
TERM_MEMBERS = ("starts_on", "ends_on", "calendar", "period")


def terms(value: object, pointer: str) -> list[Fault]:
    """The members first; a rule over several members only where these members are in order."""
    faults = MEMBER_FORM(value, pointer)
    if not isinstance(value, dict):
        return faults
    good = {name for name in MEMBERS if name in value and not MEMBERS[name](value[name], "")}
    if "bands" in good and not _bands_ascend([band["up_to_halalas"] for band in value["bands"]]):
        faults.append(("invalid-value", within(pointer, "bands")))
    if {"starts_on", "ends_on"} <= good and value["starts_on"] > value["ends_on"]:
        return [*faults, ("invalid-value", pointer)]
    if "expected" not in good:
        return faults
    if not value["expected"]:
        guaranteed = "guarantee" in good and value["guarantee"] is not None
        return [*faults, ("invalid-value", pointer)] if guaranteed else faults
    if good.issuperset(TERM_MEMBERS):
        labels = periods_between(*(value[name] for name in TERM_MEMBERS))
        if [item["period"] for item in value["expected"]] != list(labels):
            faults.append(("invalid-value", within(pointer, "expected")))
    return faults


def _bands_ascend(limits: list[int | None]) -> bool:
    """Strictly ascending; the last, and only it, null."""
    bounded = [limit for limit in limits[:-1] if limit is not None]
    if limits[-1] is not None or len(bounded) != len(limits) - 1:
        return False
    return all(low < high for low, high in pairwise(bounded))
