"""The worst history for a reader: small entries, from which it might conclude how many to read, then the largest that
the contract allows. Every path that reads the log asks the real PostgreSQL for no more bytes at once than it states."""

from __future__ import annotations

import tracemalloc
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from types import SimpleNamespace
from typing import Any, Final

import pytest

from consumers.delivery.webhooks.route import Bodies
from consumers.explain.database import entries_in
from consumers.explain.figures import EVERYTHING
from consumers.registrar.shipper import CATCH_UP_BYTES, Shipper
from consumers.relay.agency_topics import messages_of
from consumers.replay.event_index.consumer import CONSUMER as EVENT_INDEX
from consumers.replay.pipeline.writer import FILL_BYTES_MAX, Writer
from infra.log.layout import TILE
from infra.log.merkle import leaf_hash
from infra.log.ports.postgres_port import PostgresPort
from infra.log.ports.read_ahead import parsed_entries
from infra.log.ports.tree import require_tree
from infra.log.reader import READ_BYTES, chosen_entries, entry_batches, raw_bundle
from infra.postgres.connection import Connection
from infra.settings import Settings
from producers.gateway.verdicts import add_records, verdict
from tests.every import every
from tests.scenarios.figures import tell
from tests.world.entries import EventLog
from tests.world.logs import bundle_of, write_log, write_tree
from tests.world.memory_log import KEY, root_of

SMALL: Final = 256
LARGE: Final = 336
SIZE: Final = SMALL + LARGE
SEGMENT: Final = 16
LARGE_BYTES: Final = 59_000
LEAVES_BYTES: Final = 32 * SIZE
"""They come with the entries, and do not count."""


class Measured:
    """A connection, and the most bytes that one of its queries has returned."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.most = 0

    async def fetch(self, *arguments: Any, **options: Any) -> Any:
        rows = await self._connection.fetch(*arguments, **options)
        self.most = max(self.most, sum(len(value) for row in rows for value in row if isinstance(value, bytes)))
        return rows

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


@pytest.fixture(scope="module")
def history() -> list[bytes]:
    text = "x" * LARGE_BYTES
    described = [{"ar": "نص", "en": "a" if index < SMALL else text} for index in range(SIZE)]
    log = EventLog()
    for name in described:
        log.tell("agency-0", "service.registered", service_id="S", name=name)
    return log.raw


@pytest.fixture
async def log(connection: Connection, history: list[bytes]) -> Measured:
    return await written(connection, history, SEGMENT)


async def written(connection: Connection, history: list[bytes], segment: int) -> Measured:
    """The log in segments of so many entries."""
    await write_log(connection, history, segment_entries=lambda: segment)
    await write_tree(connection, history)
    return Measured(connection)


async def fill(log: Any, _: Settings, history: list[bytes]) -> None:
    """A consumer that catches up."""
    writer = Writer(EVENT_INDEX, log, 1)
    applied: list[tuple[int, int]] = []

    async def note(batch: Any, *_: object) -> None:
        applied.append((batch.first_index, len(batch.entries)))
        writer.position = batch.end

    writer._apply = note  # type: ignore[assignment,method-assign]
    await writer.fill(SIZE)
    assert applied == [(sum(count for _, count in applied[:n]), count) for n, (_, count) in enumerate(applied)]
    assert writer.position == SIZE


async def ship(log: Any, settings: Settings, history: list[bytes]) -> None:
    """The registrar's shipper after a restart."""
    shipper = Shipper(SimpleNamespace(size=SIZE), settings)  # type: ignore[arg-type]
    shipper._reader = log
    shipped: list[bytes] = []
    while shipper.next_index < SIZE:
        shipment = await shipper._next()
        assert shipment.first_index == shipper.next_index
        assert list(shipment.leaves) == [*map(leaf_hash, shipment.entries)]
        shipped += shipment.entries
        shipper.next_index = shipment.end
    assert shipped == history


async def replay(log: Any, _: Settings, history: list[bytes]) -> None:
    """Rebuilds, the check of commitments, as-of answers."""
    async with aclosing(parsed_entries(log, 0, SIZE)) as batches:
        assert [entry.index async for batch in batches for entry in batch] == [*range(SIZE)]


async def scan(log: Any, _: Settings, history: list[bytes]) -> None:
    """The commitments in the log, the registrar's take-over, the comparison of its tables."""
    assert [entry async for _, batch in entry_batches(log, 0, SIZE) for entry in batch] == history


async def choose(log: Any, _: Settings, history: list[bytes]) -> None:
    indexes = [*range(0, SIZE, 2)]
    assert [raw async for raw in chosen_entries(log, indexes)] == [(index, history[index]) for index in indexes]


async def explain(log: Any, _: Settings, history: list[bytes]) -> None:
    async def use(_: object) -> Any:
        return log

    shown: Any = SimpleNamespace(use=use, positions={EVENT_INDEX.name: SIZE}, connection=log)
    assert [raw async for raw in entries_in(shown, SIZE, EVERYTHING)] == [*enumerate(history)]


async def webhooks(log: Any, _: Settings, history: list[bytes]) -> None:
    messages: Any = [SimpleNamespace(log_index=index, kind="campaign") for index in range(SIZE)]
    bodies = Bodies()
    await bodies.load(log, messages)
    assert all(bodies.of(message) in history[message.log_index] for message in messages)


async def relay(log: Any, _: Settings, history: list[bytes]) -> None:
    found = await messages_of(log, [(index, "campaign") for index in range(SIZE)])
    assert all(message.value in history[message.position] for message in found)


async def receipts(log: Any, _: Settings, history: list[bytes]) -> None:
    rows = [verdict("registered", index) for index in range(SIZE)]
    await add_records(log, rows)
    assert [row.id for row in rows] == [f"e{index}" for index in range(SIZE)]


async def tiles(log: Any, _: Settings, history: list[bytes]) -> None:
    for first in range(0, SIZE, TILE):
        own = history[first : first + TILE]
        assert await raw_bundle(log, first // TILE, len(own)) == bundle_of(own)


async def audit(log: Any, _: Settings, history: list[bytes]) -> None:
    await require_tree(PostgresPort(log, KEY.verifier), SIZE, root_of(history), _quiet)


def _quiet(*_: int) -> None: ...


Path = Callable[[Any, Settings, list[bytes]], Awaitable[None]]
PATHS: Final[dict[Path, int]] = {
    fill: FILL_BYTES_MAX,
    ship: CATCH_UP_BYTES,
    **dict.fromkeys((replay, scan, choose, explain, webhooks, relay, receipts, tiles, audit), READ_BYTES),
}

OLD_SEGMENT_PEAK: Final = 48 << 20
"""Of any path with a segment of 15 MiB, with what the test keeps of the log (docs/decisions/the-log-in-segments.md)."""


@every("path", PATHS)
async def test_no_read_returns_more_bytes_than_its_path_states(
    log: Measured, settings: Settings, history: list[bytes], path: Path
) -> None:
    log.most = 0
    await path(log, settings, history)
    assert PATHS[path] // 2 < log.most <= PATHS[path] + LEAVES_BYTES, "in large reads, and none too large"


async def test_a_segment_of_an_earlier_release_is_read_alone_and_its_memory_is_bounded(
    connection: Connection, settings: Settings, history: list[bytes]
) -> None:
    """Earlier releases wrote up to 256 entries of any size into one segment, which is read as a whole."""
    log = await written(connection, history, TILE)
    largest: int = await connection.fetchval("SELECT max(octet_length(entries)) FROM log.segment")
    assert largest > 14 << 20
    for path, bytes_max in PATHS.items():
        log.most = 0
        tracemalloc.start()
        try:
            await path(log, settings, history)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert log.most <= max(bytes_max, largest) + LEAVES_BYTES, f"{path.__name__}: one such segment at once"
        tell(f"a segment of {largest >> 20} MiB: {path.__name__} has {peak >> 20} MiB at most")
        assert peak <= OLD_SEGMENT_PEAK, path.__name__
