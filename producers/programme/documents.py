"""What the demo reads of the documents of `yesser` commands, and the document that it prints itself."""

from __future__ import annotations

import orjson
from msgspec import UNSET, Struct, UnsetType


class Campaign(Struct):
    """Of `yesser campaigns list`."""

    campaign_id: str
    owner: str
    service_id: str | None
    cause_index: int
    escalated: bool = False


class Account(Struct):
    balance_halalas: int


class Ledger(Struct):
    """Of `yesser ledger balances`."""

    accounts: list[Account]


class ReadModel(Struct):
    name: str
    rows: int
    sha256: str
    ok: bool


class Rebuild(Struct):
    """Of `yesser rebuild --compare`."""

    read_models: list[ReadModel]
    ok: bool


class Tree(Struct):
    """Of `yesser audit verify`."""

    size: int
    root: str
    ok: bool


class LogEntry(Struct):
    """Of `yesser log show`."""

    recordedtime: str


class Refused(Struct):
    """Of `yesser refusals list`."""

    claimed_id: str | None


class LogSize(Struct):
    """Of `yesser log size`."""

    size: int


class Total(Struct):
    sum_halalas: int
    ok: bool


class Verification(Struct):
    """The three proofs: the tree, rebuilt = live, and a ledger that sums to zero."""

    tree: Tree
    rebuild: Rebuild
    ledger: Total
    ok: bool


class SignIn(Struct):
    username: str
    role: str
    password: str


class SignIns(Struct):
    """The console's address, and an account for each role."""

    address: str
    accounts: list[SignIn]


class Demo(Struct, kw_only=True):
    """The answer of `yesser demo --json`. The documents of commands are as these print them."""

    plan: orjson.Fragment
    campaigns: orjson.Fragment
    ledger: orjson.Fragment
    verification: Verification
    console: SignIns | UnsetType = UNSET
    seconds: float
