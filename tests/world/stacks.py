"""Loads on a whole system, faults of its topics, and judgements of what is left of them."""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from events.validation.verdicts import Agency
from events.wire.entry import parse_entry
from infra.kafka.client_config import agency_topic
from infra.postgres.connection import connect
from infra.settings import Settings
from producers.sdk.client import AgencyClient
from producers.sdk.connection import ClientLimits
from tests.gateway_access import GatewayAccess
from tests.scenarios.judge import read_log
from tests.scenarios.system import System, until
from tests.stack import TestStack, corner
from tests.world.events import encoded, initiative
from tests.world.records import said
from tests.world.senders import announced
from tests.world.topics import send

BATCH = 20
PAUSE_S = 0.02
CLIENTS = 4
TRY_FOR_S = 120
SIGNS_NOTHING_S = 5

CUT, SOUND = Agency("cut", "agency"), Agency("sound", "agency")
"""Agencies of the tests that cut a topic: the topic of one loses its tail."""
VERDICTS = """
-- Each record with a receipt, and the index of every verdict that it has: of its entry, or of the first of a duplicate.
SELECT o AS offset, array_agg(v.index) FILTER (WHERE v.index IS NOT NULL) AS indexes
FROM unnest($2::bigint[]) AS o
LEFT JOIN LATERAL (
    SELECT first_index + o - first_offset AS index FROM log.run
    WHERE topic = $1 AND first_offset <= o AND o < first_offset + entries_count
    UNION ALL SELECT of_index FROM log.duplicate WHERE topic = $1 AND "offset" = o
) AS v ON true
GROUP BY o
"""


Fault = Callable[[Callable[[], None]], None]
"""What is done to a system under load. It calls its argument to wait until the load flows."""


@contextmanager
def lasting_corner(stack: TestStack, home: Path) -> Iterator[tuple[Settings, asyncio.Runner]]:
    """A corner for several tests, or for a loop other than pytest's; with a runner for what it is to be filled with."""
    with asyncio.Runner() as runner:
        own = corner(stack, home)
        settings = runner.run(own.__aenter__())
        try:
            yield settings, runner
        finally:
            runner.run(own.__aexit__(None, None, None))


@dataclass
class Load:
    """What clients were promised: the offset of each receipt's record, and the id that the receipt names."""

    agency: str
    sent: set[str] = field(default_factory=set)
    receipts: dict[int, str] = field(default_factory=dict)

    async def send(self, access: GatewayAccess, fault: Fault) -> None:
        """Send batch after batch, each until it has its receipt, for as long as the fault lasts."""
        lasting = asyncio.create_task(asyncio.to_thread(fault, self.until_it_goes_on))
        numbers = count()

        async def one(client: AgencyClient) -> None:
            while not lasting.done():
                ids = [f"b{next(numbers)}.{n}" for n in range(BATCH)]
                self.sent |= set(ids)
                stored = await client.send_many(
                    [encoded(initiative(id=id_, source=f"urn:yesser:agency:{self.agency}")) for id_ in ids]
                )
                for receipt in stored.receipts:
                    self.receipts[int(receipt.address.rpartition("/")[2])] = receipt.id
                await asyncio.sleep(PAUSE_S)

        async with access.client(ClientLimits(time_limit_s=TRY_FOR_S, pause_max_s=0.5)) as client:
            await asyncio.gather(lasting, *(one(client) for _ in range(CLIENTS)))

    def until_it_goes_on(self) -> None:
        """Wait until some clients got receipts since the last kill: each kill meets a load that flows."""
        enough = len(self.receipts) + CLIENTS * BATCH
        until(lambda: len(self.receipts) >= enough, TRY_FOR_S, "no receipts come any more")


async def require_no_loss(settings: Settings, load: Load) -> int:
    """Every receipt's record has one verdict, on that event; every event is in the log once. How many came again."""
    topic = agency_topic(load.agency)
    connection = await connect(settings, "test", batch=True)
    try:
        raws = await read_log(settings)
        ids = {entry.index: entry.id for entry in map(parse_entry, count(), raws) if entry.agency == load.agency}
        rows = await connection.fetch(VERDICTS, topic, [*load.receipts])
        again: int = await connection.fetchval("SELECT count(*) FROM log.duplicate WHERE topic = $1", topic)
    finally:
        await connection.close()
    assert {*load.receipts.values()} == load.sent, "every event has a receipt"
    verdicts = {row["offset"]: [ids[index] for index in row["indexes"] or []] for row in rows}
    assert verdicts == {offset: [id_] for offset, id_ in load.receipts.items()}, "each receipt has one verdict, its own"
    assert sorted(ids.values()) == sorted(load.sent), "every event is in the log once, and nothing else"
    return again


def publish_one(system: System, folder: Path, agency: str, name: str, *options: str) -> None:
    """Publish an initiative of this name from a file."""
    path = folder / f"{agency}-{name}.ndjson"
    path.write_bytes(announced(name, name, agency) + b"\n")
    system.run("publish", str(path), "--agency", agency, *options)


def send_one_by_one(system: System, agency: Agency, *ids: str) -> None:
    """Acknowledged one after another, so that each is a batch of its own in the segment."""

    async def send_all() -> None:
        for id in ids:
            await send(system.settings, agency_topic(agency.code), said(id, agency=agency))

    asyncio.run(send_all())


def cut_segment(system: System, topic: str, offset: int) -> None:
    """Cut the topic's segment at the batch that begins at `offset`, as a disk that lost what was not yet written."""
    (segment,) = system.home.glob(f"kafka/**/{topic}-0/*.log")
    data, at = segment.read_bytes(), 0
    while at < len(data):
        base, length = struct.unpack_from(">qi", data, at)
        if base == offset:
            break
        at += 12 + length
    assert at < len(data), f"{topic} has no batch at offset {offset}"
    with segment.open("r+b") as file:
        file.truncate(at)
    for index in segment.parent.glob("*index"):
        index.unlink()


def halted(system: System, code: str) -> str | None:
    reasons = {row["code"]: row["halted_reason"] for row in system.ask("agencies", "list")}
    reason: str | None = reasons[code]
    return reason


def logged(system: System, agency: Agency) -> list[str]:
    """The ids that are in the log of an agency's own events."""
    found = system.ask("log", "find", "--agency", agency.code, "--limit", "100")
    return sorted(row["id"] for row in found)


def require_halt(system: System) -> None:
    """The registrar says why it is not ready, is not called dead for it, and signs nothing."""
    checkpoint = system.settings.log_folder / "checkpoint"
    signed = checkpoint.read_bytes()
    until(lambda: "halted" in system.readiness("registrar")[1], 60, "the registrar does not halt")
    status, details = system.readiness("registrar")
    assert status == 503
    assert "yesser recover" in details["halted"]
    assert system.answer("registrar", "/healthz")[0] == 200
    time.sleep(SIGNS_NOTHING_S)
    assert checkpoint.read_bytes() == signed
