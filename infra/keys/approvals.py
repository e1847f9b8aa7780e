"""The rule of two people: which acts need it, when it is in force, and whether an approval is good for an act.

Flows in: rows of `console.approval` and `console.sealed_account`, and times of the database. Flows out: decisions;
nothing is read or written here (`infra.keys.second_person` does).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final, Literal, get_args

from events.wire.codec import canonical_bytes
from infra.keys.seals import Seals

Act = Literal[
    "accounts add",
    "accounts disable",
    "accounts enable",
    "accounts password",
    "accounts seal",
    "agencies add",
    "agencies certificate",
    "agencies rotate",
    "agencies suspend",
    "erase",
    "keys import",
    "keys rotate",
    "recover",
    "registrar unhalt",
    "tokens create",
    "tokens seal",
    "withheld propose",
]
ACTS: Final[tuple[Act, ...]] = get_args(Act)
"""What one person cannot undo, or what gives one person the rights of two. The table has the same list."""
SENSITIVE_ROLES: Final = ("office", "administrator")
"""Accounts of these roles, and agencies and tokens of the first, are given by two people."""
VALID: Final = timedelta(hours=24)
"""Longest time from the request to the second confirmation, and from there to the act."""
Rule = Literal["auto", "required", "off"]
Fault = Literal["not-confirmed", "another-act", "one-person", "too-old", "used", "changed", "not-administrators"]


@dataclass(frozen=True, slots=True)
class Administrators:
    """Who can confirm: the enabled accounts of administrators.

    `changed`: accounts whose row has another seal than its own. Each may have been an administrator's.
    """

    names: frozenset[str]
    changed: int = 0

    @property
    def count(self) -> int:
        return len(self.names) + self.changed


def administrators(rows: Iterable[Mapping[str, Any]], seals: Seals | None) -> Administrators:
    """From rows of `console.sealed_account`. Without the key (`seals` is None) rows are taken as they are."""
    names, changed = set(), 0
    for row in rows:
        if seals is not None and not seals.is_account(row):
            changed += row["seal"] is not None  # without one: of an earlier release
        elif row["role"] == "administrator" and row["disabled_at"] is None:
            names.add(row["username"])
    return Administrators(frozenset(names), changed)


def in_force(rule: Rule, count: int) -> bool:
    """Whether acts need two people, of so many administrators."""
    return rule == "required" or (rule == "auto" and count >= 2)


def canonical(arguments: Mapping[str, Any]) -> str:
    """The arguments of an act as RFC 8785 JSON."""
    return canonical_bytes(dict(arguments)).decode()


def digest_of(act: Act, arguments: str) -> bytes:
    """What an approval is for: SHA-256 of the act, a line feed, and its canonical arguments."""
    return sha256(f"{act}\n{arguments}".encode()).digest()


def fault_of(
    row: Mapping[str, Any], digest: bytes, now: datetime, names: Collection[str], seals: Seals
) -> Fault | None:
    """Why an approval is not good for the act of this digest at this time; None where it is.

    `names`: the administrators.
    """
    if digest_of(row["act"], row["arguments"]) != digest:
        return "another-act"
    if row["used_at"] is not None:
        return "used"
    if row["first_by"] is None or row["second_by"] is None:
        return "too-old" if now - row["requested_at"] > VALID else "not-confirmed"
    if row["first_by"] == row["second_by"]:
        return "one-person"
    if not seals.is_approval(row):
        return "changed"
    if row["second_at"] - row["requested_at"] > VALID or now - row["second_at"] > VALID:
        return "too-old"
    if not {row["first_by"], row["second_by"]} <= set(names):
        return "not-administrators"
    return None


def may_confirm(row: Mapping[str, Any], username: str, now: datetime, seals: Seals) -> bool:
    """Whether an administrator may confirm a request: nobody confirms twice, or what somebody changed meanwhile."""
    is_open = row["second_by"] is None and now - row["requested_at"] <= VALID
    if row["first_by"] is None:
        return is_open
    return is_open and row["first_by"] != username and seals.is_approval(row)
