"""What the demo reads of the documents of `yesser` commands, and the document that it prints itself."""

from __future__ import annotations

from typing import Literal

import orjson
from msgspec import UNSET, Struct, UnsetType

from events.values.fields import Channel, Track


class Target(Struct):
    target: int
    completed: int


class Application(Struct):
    """A national application, and its phases."""

    project_id: str
    phases: int
    started: int
    completed: int
    cancelled: bool


class Applications(Struct):
    target: int
    projects: list[Application]


class Group(Struct):
    registered: int
    launched: int


class Services(Struct):
    target: int
    groups: dict[str, Group]


class Training(Struct):
    year: int
    track: Track
    quota: int
    net: int


class Awareness(Struct):
    aired: dict[Channel, int]
    on_all_three: int


class Partnership(Struct):
    partnership_id: str
    agency: str
    open_period: str | None
    net_halalas: int
    partner_halalas: int
    treasury_halalas: int


class Plan(Struct):
    """Of `yesser plan`."""

    infrastructure: Target
    national_applications: Applications
    services: Services
    training: list[Training]
    awareness: Awareness
    partnerships: list[Partnership]
    anomalies: int
    refusals: int


class Campaign(Struct):
    """Of `yesser campaigns list`."""

    campaign_id: str
    kind: Literal["general", "specific"]
    owner: str
    service_id: str | None
    cause_index: int
    escalated: bool = False


class Account(Struct):
    account: str
    debits_halalas: int
    credits_halalas: int
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


class Found(Struct):
    """Of `yesser log find`."""

    index: int


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
