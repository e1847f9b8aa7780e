"""The traffic in the agencies' topics, and whether what came of it is right."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

from bench.system import command_output, process
from bench.traffic import Line, mixed, uniform
from infra.postgres.connection import Connection
from infra.settings import Settings
from producers.agencies.genesis import prepare
from producers.agencies.register import NewAgency, add_agencies
from producers.publisher.kafka_publisher import AgencyPublisher

SEED: Final = 20261126
SPARE: Final = 12
"""Of so many further events at least one is of the first agency."""
MONEY: Final = re.compile(rb"revenue\.(collected|reversed)")
AMOUNT: Final = re.compile(rb'"amount_halalas": ?([0-9]+)')
CAMPAIGN: Final = b".awareness.campaign-"


@dataclass(slots=True)
class Published:
    """What is in the topics; `later` are lines of the first agency that go on from there."""

    outcomes: Counter[str] = field(default_factory=Counter)
    net_halalas: int = 0
    unknown_campaigns: int = 0
    later: list[bytes] = field(default_factory=list)

    @property
    def entries(self) -> int:
        """A refusal is an entry, a duplicate is none."""
        return self.outcomes["accepted"] + self.outcomes["refused"]

    def count(self, line: bytes, outcome: str) -> None:
        self.outcomes[outcome] += 1
        if outcome != "accepted":
            return
        money = MONEY.search(line)
        if money:
            amount = AMOUNT.search(line)
            assert amount is not None
            self.net_halalas += int(amount[1]) if money[1] == b"collected" else -int(amount[1])
        elif CAMPAIGN in line:
            self.unknown_campaigns += 1


def records(kind: str, events: int) -> Iterator[Line]:
    """The traffic of that kind."""
    return mixed(SEED, events) if kind == "mixed" else uniform(SEED, events)


async def register_agencies(settings: Settings, connection: Connection, codes: Sequence[str]) -> None:
    """The programme's office and these agencies, by the platform's own registration."""
    await prepare(settings)
    with process(settings, "registrar"), process(settings, "relay"):
        agencies = [NewAgency(code, "agency", f"جهة {code}", f"Agency {code}") for code in codes]
        await add_agencies(connection, settings, agencies, lambda: datetime.now(UTC))


async def publish(settings: Settings, kind: str, events: int, codes: Sequence[str], later: int = 0) -> Published:
    """Publish the traffic's first `events`, and keep `later` more of the first agency."""
    published = Published()
    lines = records(kind, events + SPARE * later)
    async with AsyncExitStack() as stack:
        publishers = {
            code: await stack.enter_async_context(AgencyPublisher(settings, code)) for code in codes
        }  # fmt: skip
        for code, line, outcome in islice(lines, events):
            published.count(line, outcome)
            await publishers[code].add(line)
    of_first = (line for code, line, _ in lines if code == codes[1])
    published.later = list(islice(of_first, later))
    return published


async def check_registered(connection: Connection, published: Published) -> None:
    """Raises RuntimeError unless the log refused and dropped exactly what it should."""
    refused = await connection.fetchval("SELECT count(*) FROM log.refusal")
    duplicates = await connection.fetchval("SELECT count(*) FROM log.duplicate")
    _compare("refused", refused, published.outcomes["refused"])
    _compare("duplicates", duplicates, published.outcomes["duplicate"])


def check_applied(settings: Settings, published: Published) -> None:
    """Raises RuntimeError unless the figures are right to the halala and the accounts sum to zero."""
    plan: dict[str, Any] = command_output(settings, "plan")
    _compare("net halalas", sum(row["net_halalas"] for row in plan["partnerships"]), published.net_halalas)
    _compare("refusals", plan["refusals"], published.outcomes["refused"])
    _compare("anomalies", plan["anomalies"], published.unknown_campaigns)
    accounts = command_output(settings, "ledger", "balances")["accounts"]
    _compare("sum of the balances", sum(account["balance_halalas"] for account in accounts), 0)


def _compare(what: str, found: int, expected: int) -> None:
    if found != expected:
        raise RuntimeError(f"{what}: {found:,} instead of {expected:,}")
