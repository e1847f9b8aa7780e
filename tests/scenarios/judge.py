"""Compares a running system at rest with the oracle: its whole log folded again, against what the commands print.

Every difference is a sentence; none means: plan, anomalies, balances, statements, transfers and campaigns are exactly
the oracle's, indexes included, and the invariants of the log hold (`tests.scenarios.invariants`).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from consumers.proof.commitments.commitment import ENTRIES_MIN
from infra.log.reader import entry_batches, log_size
from infra.postgres.connection import connect
from infra.settings import Settings
from tests.oracle.fold import Figures, fold
from tests.oracle.log import JsonObject, read_entry
from tests.scenarios.invariants import broken_invariants
from tests.scenarios.system import System

SHOWN_MAX = 20


@dataclass
class Judgement:
    """What was found. `root` is the signed one."""

    size: int = 0
    root: str = ""
    figures: Figures | None = None
    differences: list[str] = field(default_factory=list)

    def require_clean(self) -> None:
        shown = "\n".join(self.differences[:SHOWN_MAX])
        assert not self.differences, f"{len(self.differences)} differences:\n{shown}"


def judge(system: System) -> Judgement:
    """Wait for the fixed point, then compare everything. Once more where the log grew meanwhile: by a commitment that
    the relay had begun before."""
    found = _judge(system)
    return found if system.ask("log", "size")["size"] == found.size else _judge(system)


def _judge(system: System) -> Judgement:
    system.settle()
    is_long = system.ask("log", "size")["size"] >= ENTRIES_MIN
    if is_long:
        # Then none is due, so that the relay adds nothing to the log while it is compared.
        system.ask("commit")
        system.settle()
    raw = asyncio.run(read_log(system.settings))
    found = Judgement(len(raw))
    found.figures = fold(read_entry(index, entry) for index, entry in enumerate(raw))
    found.differences += _figures(system, found.figures)
    found.differences += _rebuilt(system)
    if is_long:
        found.differences += _committed(system)
    tree = system.ask("audit", "verify")
    found.root = tree["root"]
    if tree["size"] != len(raw):
        found.differences.append(f"the newest checkpoint has size {tree['size']}, the log {len(raw)}")
    found.differences += asyncio.run(broken_invariants(system.settings, raw))
    return found


async def read_log(settings: Settings) -> list[bytes]:
    """Every entry."""
    connection = await connect(settings, "judge", batch=True)
    try:
        size = await log_size(connection)
        return [entry async for _, batch in entry_batches(connection, 0, size) for entry in batch]
    finally:
        await connection.close()


def _figures(system: System, figures: Figures) -> list[str]:
    found = _compare("plan", system.ask("plan"), figures.plan)
    anomalies = system.ask("anomalies")
    if not all(isinstance(row.pop(side), dict) for row in anomalies for side in ("claimed", "known")):
        found.append("an anomaly does not show both sides")
    found += _compare("anomaly", anomalies, figures.anomaly_rows())
    ledger = system.ask("ledger", "balances")
    balances = {row.pop("account"): row for row in ledger["accounts"]}
    found += _compare("ledger", ledger["log_index"], figures.plan["log_index"])
    found += _compare("balance", balances, figures.balances)
    if total := sum(row["balance_halalas"] for row in balances.values()):
        found.append(f"the balances sum to {total}")
    found += _compare("campaign", system.ask("campaigns", "list"), figures.campaigns)
    if figures.untriggered:
        found.append(f"campaigns that are due and not in the log: {figures.untriggered[:3]}")
    return found + _statements(system, figures)


def _statements(system: System, figures: Figures) -> list[str]:
    """All of each partnership; the first one also by itself."""
    found: list[str] = []
    for partnership in sorted({row["partnership_id"] for row in figures.statements}):
        said = {row["period"]: row for row in system.ask("ledger", "statements", partnership)}
        meant = {row["period"]: row for row in figures.statements if row["partnership_id"] == partnership}
        found += _compare(f"statements of {partnership}", said, meant)
    for row in figures.statements[:1]:
        name = (row["partnership_id"], row["period"])
        found += _compare(f"statement {name}", system.ask("ledger", "statement", *name), row)
    return found


def _committed(system: System) -> list[str]:
    """What was committed is what the log gives, also while everything went on."""
    checked = system.ask("audit", "commitments", exits=(0, 1))["commitments"]
    if not checked:
        return ["no read model was ever committed"]
    return [f"{row['name']} at {row['log_index']} was committed otherwise" for row in checked if not row["ok"]]


def _rebuilt(system: System) -> list[str]:
    rebuilt = system.ask("rebuild", "--compare", exits=(0, 1, 3))
    if rebuilt["ok"]:
        return []
    bad = [model["name"] for model in rebuilt["read_models"] if not model["ok"]]
    return [f"rebuilt is not live: {', '.join(bad)}; first {rebuilt['first_difference']}"]


def _compare(name: str, said: Any, meant: Any) -> list[str]:
    """Differences at the smallest place."""
    if said == meant:
        return []
    if isinstance(said, dict) and isinstance(meant, dict):
        return _compare_members(name, said, meant)
    if isinstance(said, list) and isinstance(meant, list) and len(said) == len(meant):
        pairs = enumerate(zip(said, meant, strict=True))
        return [line for number, (ours, theirs) in pairs for line in _compare(f"{name} {number}", ours, theirs)]
    if isinstance(said, list) and isinstance(meant, list):
        extra = [row for row in said if row not in meant][:3]
        missing = [row for row in meant if row not in said][:3]
        return [f"{name}: {len(said)} rows instead of {len(meant)}; extra {extra}, missing {missing}"]
    return [f"{name}: {said!r} instead of {meant!r}"]


def _compare_members(name: str, said: JsonObject, meant: JsonObject) -> list[str]:
    return [
        line
        for member in sorted(said.keys() | meant.keys())
        for line in _compare(f"{name}.{member}", said.get(member, "nothing"), meant.get(member, "nothing"))
    ]
