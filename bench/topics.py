"""The traffic in the agencies' topics, and whether its results are right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

from bench.independent import expected, independent
from bench.system import command_output, process
from bench.traffic import Expected, Line, mixed
from infra.postgres.connection import Connection
from infra.settings import Settings
from producers.agencies.register import NewAgency, add_agencies, prepare
from producers.publisher.kafka_publisher import AgencyPublisher

SEED: Final = 20261126
OWN, INDEPENDENT = "own", "independent"
SPARE: Final = 12
"""Of so many further events at least one is of the first agency."""


def records(kind: str, events: int) -> Iterator[Line]:
    """The traffic of that kind; independent traffic has about so many."""
    return mixed(SEED, events) if kind == OWN else independent(events)


async def register_agencies(settings: Settings, connection: Connection, codes: Sequence[str]) -> None:
    """The programme's office and these agencies, by the platform's own registration."""
    await prepare(settings)
    with process(settings, "registrar"), process(settings, "relay"):
        agencies = [NewAgency(code, "agency", f"جهة {code}", f"Agency {code}") for code in codes]
        await add_agencies(connection, settings, agencies, lambda: datetime.now(UTC))


async def publish(
    settings: Settings, kind: str, events: int, codes: Sequence[str], later: int = 0, first: int = 0
) -> tuple[Expected, list[bytes]]:
    """Publish the traffic's first `events`, of own traffic without those before `first`; what they must lead to, and
    `later` further lines of the first agency."""
    result = Expected() if kind == OWN else expected(events)
    lines = records(kind, events + SPARE * later)
    async with AsyncExitStack() as stack:
        publishers = {
            code: await stack.enter_async_context(AgencyPublisher(settings, code)) for code in codes
        }  # fmt: skip
        for code, line, outcome in islice(lines, first, events if later else None):
            await publishers[code].add(line)
            if kind == OWN:
                result.count(line, outcome)
    return result, list(islice((line for code, line, _ in lines if code == codes[1]), later))


async def check_registered(connection: Connection, result: Expected) -> None:
    """Raises RuntimeError unless the log refused and dropped exactly what it should."""
    refused = await connection.fetchval("SELECT count(*) FROM log.refusal")
    duplicates = await connection.fetchval("SELECT count(*) FROM log.duplicate")
    _compare("refused", refused, result.outcomes["refused"])
    _compare("duplicates", duplicates, result.outcomes["duplicate"])


def check_applied(settings: Settings, result: Expected) -> None:
    """Raises RuntimeError unless the figures are right to the halala and the accounts sum to zero."""
    plan: dict[str, Any] = command_output(settings, "plan")
    _compare("net halalas", sum(row["net_halalas"] for row in plan["partnerships"]), result.net_halalas)
    _compare("refusals", plan["refusals"], result.outcomes["refused"])
    _compare("anomalies", plan["anomalies"], result.anomalies)
    accounts = command_output(settings, "ledger", "balances")["accounts"]
    _compare("sum of the balances", sum(account["balance_halalas"] for account in accounts), 0)


def _compare(what: str, found: int, expected: int) -> None:
    if found != expected:
        raise RuntimeError(f"{what}: {found:,} instead of {expected:,}")
