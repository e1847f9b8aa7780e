"""What an auditor waits for: tree, full check, proofs, and the served log.

The log has mixed traffic as agencies send it. `yesser audit` runs as an auditor runs it, in a process of its own, start
included; memory is the most that one process held. Proofs are made in a tree of ten times as many entries, of which
only the hashes exist. The log is served by the gateway as a user runs it, on the same machine as its client.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count, islice
from pathlib import Path
from typing import Final

from bench.figures import Figures, console
from bench.history import AGENCIES
from bench.load_client import Connection as HttpConnection
from bench.system import process, stack
from bench.traffic import OFFICE, mixed
from consumers.models.migrate_command import migrate_database
from consumers.proof.audit.mirror import write_mirror
from consumers.proof.audit.port import MirrorPort
from events.wire.entry import entry_bytes, recorded_time
from infra.embedded.servers.ports import choose
from infra.http.routes import LOG_PREFIX
from infra.kafka.client_config import agency_topic
from infra.log.layout import HASH_BYTES, TILE, hashes_at, levels_of, tile_path, tiles_at
from infra.log.merkle import TileTree, leaf_hash
from infra.log.proofs import HashPort, inclusion_proof, tree_root, verify_inclusion
from infra.log.reader import StoredHashes
from infra.postgres.connection import Connection, connected
from infra.process.subprocess_command import subprocess_command
from infra.settings import Settings
from producers.agencies.register import prepare
from producers.agencies.tokens import TokenRequest, create_token, hash_key
from tests.world.logs import write_log
from tests.world.memory_log import KEY, MemoryLog
from tests.world.records import registered

SEED: Final = 1425
SIGNED_EVERY: Final = 1_024
"""Entries of a checkpoint, as the registrar's batches are under load."""
PROOFS: Final = 2_000
CONNECTIONS: Final = 16
SERVED_S: Final = 10.0
# A process's peak begins with that of its parent: that of the bench, which holds the log, must not count.
_LARGEST: Final = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""
TREE_TIMES: Final = 10
RATE: Final = "entries/s"


def traffic(entries: int) -> Iterator[bytes]:
    """So many entries: the agencies' registrations, then what they send and the registrar accepts."""
    first, offsets = datetime(2026, 11, 1, 6, tzinfo=UTC), dict.fromkeys(("platform", OFFICE, *AGENCIES), 0)
    opening = [("platform", registered(code, "office" if code == OFFICE else "agency")) for code in (OFFICE, *AGENCIES)]
    accepted = ((code, line) for code, line, outcome in mixed(SEED, 2 * entries) if outcome == "accepted")
    for number, (code, event) in enumerate(islice(_chained(opening, accepted), entries)):
        recorded = recorded_time(first + timedelta(milliseconds=number // 100))
        yield entry_bytes(recorded, f"{agency_topic(code)}/0/{offsets[code]}", event)
        offsets[code] += 1


def _chained(*parts: Iterator[tuple[str, bytes]] | list[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    for part in parts:
        yield from part


def measure_tree(raw: list[bytes], figures: Figures) -> None:
    """What the registrar does to sign: leaves, nodes, root, signature."""
    tree, started = TileTree(), time.perf_counter()
    for first in range(0, len(raw), SIGNED_EVERY):
        tree.append(list(map(leaf_hash, raw[first : first + SIGNED_EVERY])))
        KEY.sign_checkpoint(tree.size, tree.root())
    figures.add("tree and signatures", RATE, len(raw) / (time.perf_counter() - started))


async def measure_check(raw: list[bytes], folder: Path, figures: Figures) -> None:
    """`yesser audit verify` over a quarter and over all, which must take the same memory; then a mirror of it."""
    for part, entries in (("a quarter of it", raw[: len(raw) // 4]), ("a mirror", raw)):
        await write_mirror(MemoryLog(entries), folder / part, KEY.verifier)
        seconds, mib = timed_command(folder, "audit", "verify", str(folder / part))
        figures.add(f"full check of {part}", RATE, len(entries) / seconds)
        figures.add(f"full check of {part}", "MiB", mib)
    seconds, _ = timed_command(folder, "audit", "mirror", str(folder / "copy"), "--from", str(folder / "a mirror"))
    figures.add("mirror of a mirror", RATE, len(raw) / seconds)


async def measure_replay(size: int, figures: Figures) -> None:
    """`yesser audit replay --into` a new folder, in both formats, proof of every entry included."""
    with tempfile.TemporaryDirectory(prefix="yesser-bench-") as name:
        folder = Path(name)
        with console.status("writing a log"):
            await write_mirror(MemoryLog(list(traffic(size))), folder / "mirror", KEY.verifier)
        for form in ("SQLite", "Parquet"):
            into = ("--into", str(folder / form), "--format", form.lower())
            seconds, mib = timed_command(folder, "audit", "replay", str(folder / "mirror"), *into)
            figures.add(form, "s", seconds)
            figures.add(form, "s for a million", seconds * 1_000_000 / size)
            figures.add(form, "MiB of its largest process", mib)


def timed_command(folder: Path, *command: str) -> tuple[float, float]:
    """Seconds and MiB of the largest process of a command, start included."""
    variables = {"XDG_STATE_HOME": str(folder / "state"), "YESSER_HOME": str(folder / "home")}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("YESSER_")} | variables
    whole = [*subprocess_command(*command), "--vkey", KEY.verifier.vkey]
    started = time.perf_counter()
    child = subprocess.run([sys.executable, "-c", _LARGEST, *whole], env=environment, stdout=subprocess.PIPE)
    if child.returncode:
        raise SystemExit(f"yesser {' '.join(command)} ended with {child.returncode}")
    return time.perf_counter() - started, int(child.stdout) / 1024


class Hashes:
    """A tree of so many entries, of which only the hashes exist."""

    def __init__(self, size: int) -> None:
        tree = TileTree()
        self.levels: list[bytearray] = [bytearray()]
        for first in range(0, size, TILE):
            leaves = [sha256(b"%d" % index).digest() for index in range(first, min(size, first + TILE))]
            self.levels[0] += b"".join(leaves)
            for level, _, node in tree.append(leaves):
                if level == len(self.levels):
                    self.levels.append(bytearray())
                self.levels[level] += node
        self.size, self.root = size, tree.root()

    def part(self, level: int, first: int, hashes: int) -> bytes:
        return bytes(self.levels[level][first * HASH_BYTES : (first + hashes) * HASH_BYTES])

    def leaf(self, index: int) -> bytes:
        return self.part(0, index, 1)

    def write(self, folder: Path) -> None:
        """As a mirror without entries."""
        for level in range(levels_of(self.size)):
            for number, width in tiles_at(level, self.size):
                path = folder / tile_path(level, number, width)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(self.part(level, number * TILE, width))

    async def insert(self, connection: Connection) -> None:
        """As the registrar stores them; the entries are empty."""
        rows = (
            (first, width, bytes(2 * width), self.part(0, first, width))
            for first in range(0, self.size, TILE)
            for width in [min(TILE, self.size - first)]
        )
        columns = ["first_index", "entries_count", "entries", "leaves"]
        await connection.copy_records_to_table("segment", schema_name="log", records=rows, columns=columns)
        for level in range(1, len(self.levels)):
            nodes = ((level, number, self.part(level, number, 1)) for number in range(hashes_at(level, self.size)))
            await connection.copy_records_to_table("node", schema_name="log", records=nodes)
        await connection.execute("ANALYZE log.segment, log.node")


async def measure_proofs(hashes: Hashes, port: Callable[[], HashPort], name: str, figures: Figures) -> None:
    """Inclusion proofs of random entries, each made and verified, with a port of its own."""
    chance, seconds = random.Random(SEED), []
    for _ in range(PROOFS):
        index = chance.randrange(hashes.size)
        started = time.perf_counter()
        path = await inclusion_proof(port(), index, hashes.size)
        assert verify_inclusion(hashes.leaf(index), index, hashes.size, hashes.root, path)
        seconds.append(time.perf_counter() - started)
    figures.add(f"a proof, {name}", "p50 ms", 1_000 * statistics.median(seconds))
    figures.add(f"a proof, {name}", "p99 ms", 1_000 * statistics.quantiles(seconds, n=100)[98])


async def measure_all_proofs(settings: Settings, hashes: Hashes, folder: Path, figures: Figures) -> None:
    hashes.write(folder)
    assert await tree_root(MirrorPort(folder, KEY.verifier, hashes.size), hashes.size) == hashes.root
    await measure_proofs(hashes, lambda: MirrorPort(folder, KEY.verifier, hashes.size), "mirror", figures)
    async with connected(settings, "bench", batch=True) as connection:
        await empty(connection)
        await hashes.insert(connection)
        await measure_proofs(hashes, lambda: StoredHashes(connection), "database", figures)


async def empty(connection: Connection) -> None:
    for table in ("segment", "node", "checkpoint"):
        await connection.execute(f"ALTER TABLE log.{table} DISABLE TRIGGER USER; TRUNCATE log.{table}")


async def serve(settings: Settings, raw: list[bytes], folder: Path, figures: Figures) -> None:
    """The gateway alone: hash tiles that it has and has not kept, and `yesser audit verify` of the whole."""
    log, token = MemoryLog(raw), folder / "token"
    async with connected(settings, "bench", batch=True) as connection:
        made = await create_token(connection, hash_key(settings), TokenRequest("auditor", "court-of-audit", 1))
        token.write_text(made.token)
        await empty(connection)
        await write_log(connection, raw)
        nodes = ((level, n, node) for level, row in enumerate(log.levels) if level for n, node in enumerate(row))
        await connection.copy_records_to_table("node", schema_name="log", records=nodes)
        await connection.execute("INSERT INTO log.checkpoint (size, note) VALUES ($1, $2)", len(raw), log.note)
    with gateway(settings) as port:
        await until_answering(port)
        full = len(raw) // TILE
        for name, tiles in (("16 tiles", min(16, full)), ("all tiles in turn", full)):
            paths = [tile_path(0, number) for number in range(tiles)]
            figures.add(f"served, {name}", "answers/s", await tiles_per_s(port, paths))
        figures.add("served, checkpoint", "answers/s", await tiles_per_s(port, ["checkpoint"]))
        address = f"http://127.0.0.1:{port}{LOG_PREFIX}"
        seconds, mib = timed_command(folder, "audit", "verify", address, "--token-file", str(token))
        figures.add("full check of the served log", RATE, len(raw) / seconds)
        figures.add("full check of the served log", "MiB", mib)


@contextmanager
def gateway(settings: Settings) -> Iterator[int]:
    (port,) = choose([None])
    variables = {"YESSER_GATEWAY_PORT": str(port), "YESSER_GATEWAY_LOG_REQUESTS_PER_S": "100000"}
    with process(settings, "gateway", variables):
        yield port


async def until_answering(port: int) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            async with HttpConnection(port) as connection:
                if await connection.ask(request("checkpoint")) == 200:
                    return
        except OSError:
            pass
        if time.monotonic() > deadline:
            raise SystemExit("the gateway does not answer")
        await asyncio.sleep(0.1)


def request(path: str) -> bytes:
    return f"GET {LOG_PREFIX}{path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".encode()


async def tiles_per_s(port: int, paths: list[str]) -> float:
    """Answers a second, over kept-alive connections."""
    requests, numbers = [request(path) for path in paths], count()
    end = time.perf_counter() + SERVED_S

    async def ask() -> int:
        done = 0
        async with HttpConnection(port) as connection:
            while time.perf_counter() < end:
                assert await connection.ask(requests[next(numbers) % len(requests)]) == 200
                done += 1
        return done

    started = time.perf_counter()
    done = sum(await asyncio.gather(*(ask() for _ in range(CONNECTIONS))))
    return done / (time.perf_counter() - started)


async def measure(entries: int, figures: Figures) -> None:
    """One whole run."""
    with tempfile.TemporaryDirectory(prefix="yesser-bench-") as name, stack() as settings:
        folder = Path(name)
        with console.status("writing a log"):
            raw = list(traffic(entries))
        measure_tree(raw, figures)
        await measure_check(raw, folder, figures)
        await migrate_database(settings)
        await measure_all_proofs(settings, Hashes(TREE_TIMES * entries), folder / "hashes", figures)
        await prepare(settings)
        await serve(settings, raw, folder, figures)
