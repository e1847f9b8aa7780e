"""What the demo reads of the documents of `yesser` commands, and the document that it prints itself.

Producers and consumers do not import each other, so the demo reads its results as a user does, with `--json`.
"""

from __future__ import annotations

import subprocess
from typing import Final, TypeVar

import msgspec
import orjson
from msgspec import UNSET, Struct, UnsetType

from events.errors import YesserError
from infra.process.subprocess_command import subprocess_command

PATIENCE_S: Final = 900
"""How long a step of the demo may take, such as on a busy machine: it is over as soon as it is done."""
Document = TypeVar("Document")


class CommandFailed(YesserError):
    """A command that the demo needs ended with an error."""


def run_json(*arguments: str, accept: tuple[int, ...] = (0,)) -> bytes:
    """Run `yesser ARGUMENTS --json` in this environment and return what it prints."""
    done = subprocess.run(
        subprocess_command(*arguments, "--json"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=2 * PATIENCE_S,
        check=False,
    )
    if done.returncode not in accept:
        words = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2].removeprefix("yesser: ")
        raise CommandFailed(f"`yesser {' '.join(arguments)}` ended with code {done.returncode}: {words}")
    return done.stdout.strip()


def read_json(model: type[Document], *arguments: str, accept: tuple[int, ...] = (0,)) -> Document:
    """The members of `model` of the document that `yesser ARGUMENTS --json` prints."""
    return msgspec.json.decode(run_json(*arguments, accept=accept), type=model)


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
