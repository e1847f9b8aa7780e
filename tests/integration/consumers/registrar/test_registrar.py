"""The registrar on the real Kafka and PostgreSQL: what is read, when, and what is never lost or doubled."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from consumers.registrar.batch import Batch
from consumers.registrar.journal import Journal
from consumers.registrar.registrar import Registrar
from consumers.registrar.shipper import Shipper
from events.validation.verdicts import Agency
from infra.kafka.client_config import agency_topic
from infra.log.merkle import TileTree, leaf_hash
from infra.log.reader import log_size, read_checked, read_tree
from infra.log.signed_note import LogKey, checkpoint_text, parse_checkpoint, sign_note
from infra.postgres.connection import Connection, connected
from infra.postgres.verdicts import next_sequence
from infra.private_keys.key_files import load_keys, log_key_files
from infra.process import lease, retention
from infra.settings import Settings
from tests.integration.consumers.registrar.cut_commits import cut_commits
from tests.world.logs import grow, open_journal
from tests.world.records import LABOUR, registered, said
from tests.world.registrars import (
    at_work,
    found,
    founded,
    halts,
    ids,
    log_of,
    registrar,
    require_whole_log,
    shipped,
    until_halted,
    until_ready,
    until_shipped,
    until_signed,
    until_size,
)
from tests.world.topics import (
    HEALTH_TOPIC,
    LABOUR_TOPIC,
    PLATFORM_TOPIC,
    drop_topic,
    make_topics,
    records,
    send,
    silent_kafka,
)
from tests.world.waits import intervals, running, until


async def test_an_agency_is_heard_from_its_registration_on_and_one_without_a_topic_holds_nobody_up(
    settings: Settings, connection: Connection
) -> None:
    await found(settings, "labour")
    await make_topics(settings, "health")
    await send(settings, HEALTH_TOPIC, *(said(f"e{i}", sequence=i + 1) for i in range(300)), None, said("e0"))
    async with running(registrar(settings)):
        await until_size(connection, 3)
        await intervals(settings.poll_timeout_ms)
        assert await log_size(connection) == 3, "health is not registered yet"
        await send(settings, PLATFORM_TOPIC, registered("interior"), registered("health"))
        await until_size(connection, 306)
        await send(settings, LABOUR_TOPIC, said("a", agency=LABOUR))
        await until_size(connection, 307)
        await make_topics(settings, "interior")
        await send(settings, agency_topic("interior"), said("b", agency=Agency("interior", "agency")))
        await until_size(connection, 308)
        await require_whole_log(settings, connection)
    assert await halts(connection) == {}
    first, second, *others = await log_of(connection)
    assert (first.data["code"], first.data["role"], first.address) == ("platform", "platform", f"{PLATFORM_TOPIC}/0/0")
    assert (second.data["code"], second.data["role"]) == ("yesser", "office")
    assert [e.id for e in others[:4]] == ["agency.labour", "agency.interior", "agency.health", "e0"]
    written = await connection.fetch(
        "SELECT xmin::text FROM log.segment WHERE first_index BETWEEN 5 AND 305 "
        "UNION SELECT xmin::text FROM log.event_id WHERE index BETWEEN 5 AND 305 "
        "UNION SELECT xmin::text FROM log.duplicate "
        "UNION SELECT xmin::text FROM log.refusal UNION SELECT xmin::text FROM log.sequence_state"
    )
    assert len(written) == 1, "a batch is one transaction"


async def test_sequences_add_up_by_month_and_unordered_to_a_limit(settings: Settings, connection: Connection) -> None:
    moment = datetime(2026, 10, 31, 20, 59, tzinfo=UTC)
    # The past is not what is tested here.
    settings = settings.model_copy(update={"clock_difference_max_s": 1e9, "sequence_ranges_max": 20})
    state = (
        "SELECT seen::text, accepted::text, repeated::text, highest, overflowed_index"
        " FROM log.sequence_state WHERE agency = $1"
    )
    await found(settings, "health", "labour")
    async with running(Registrar(settings, lambda: moment)):
        await until_size(connection, 4)
        await send(settings, HEALTH_TOPIC, said("a", sequence=1), said("b", sequence=2))
        await until_size(connection, 6)
        await send(settings, HEALTH_TOPIC, said("c", sequence=2), said("d", sequence=5), said("a", sequence=4))
        await until_size(connection, 8)
        [row] = await connection.fetch(state, "health")
        assert tuple(row)[:3] == ("{[1,3),[4,6)}", "{[1,3),[5,6)}", "{[2,3)}"), "repeats are remembered"
        moment = datetime(2026, 10, 31, 21, 0, tzinfo=UTC)
        await send(settings, HEALTH_TOPIC, said("e", sequence=7), said("f", sequence=6))
        await until_size(connection, 10)
        await send(settings, HEALTH_TOPIC, said("g", sequence=5))
        await until_size(connection, 11)
        months = await connection.fetch("SELECT month, highest FROM log.sequence_month ORDER BY 1")
        assert [tuple(row) for row in months] == [("2026-10", 5), ("2026-11", 7)]
        for batch in range(3):
            numbers = range(100 * batch + 2, 100 * batch + 32, 2)
            await send(settings, LABOUR_TOPIC, *(said(f"n{n}", agency=LABOUR, sequence=n) for n in numbers))
            await until_size(connection, 11 + 15 * (batch + 1))
        [kept] = await connection.fetch(state, "labour")
        assert kept["seen"].count("[") in (15, 30, 45)
        far = [said(f"far{n}", agency=LABOUR, sequence=n) for n in (10**20 - 1, 5)]
        await send(settings, LABOUR_TOPIC, *far)
        await until_size(connection, 58)
        [row] = await connection.fetch(state, "labour")
        assert (row["seen"], row["accepted"]) == (kept["seen"], kept["accepted"])
        assert row["highest"] == 10**20 - 1
        assert 26 <= row["overflowed_index"] <= 58
        assert await next_sequence(connection, "labour") == 10**20


async def test_hostile_records_are_one_refusal_each_and_kept_for_their_retention_by_the_time_of_the_log(
    settings: Settings, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "EVERY_S", 0.05)
    monkeypatch.setattr(retention, "ROWS_MAX", 2)
    many_faults = said("f").replace(b'"initiative_id"', b'"x":1,"y":1,"z"')
    await found(settings, "health")
    await send(settings, HEALTH_TOPIC, b"{", headers=[("nul\x00in the name", b"\x00")])
    await send(settings, HEALTH_TOPIC, None, b"", b"\xff", b"[" * 50_000, b"x" * 61_441, many_faults, said("good"))
    then = datetime.now(UTC) - timedelta(days=401)
    kept = "SELECT array_agg(index ORDER BY index) FROM log.dead_letter"
    async with running(Registrar(settings.model_copy(update={"clock_difference_max_s": 1e9}), lambda: then)):
        await until_size(connection, 11)
        await intervals(50, count=10)
        assert await connection.fetchval(kept) == list(range(3, 10)), "a clock alone deletes nothing"
    assert (await ids(connection))[-1] == "good"
    await send(settings, HEALTH_TOPIC, b"[", said("later"))
    async with running(registrar(settings)):
        await until_size(connection, 13)
        await until(lambda: connection.fetchval(f"SELECT ({kept}) = '{{11}}'"), "the old ones are deleted, in batches")
        await require_whole_log(settings, connection)
    assert await connection.fetchval("SELECT count(*) FROM log.refusal") == 8, "the refusals stay"


async def test_commits_with_an_unknown_outcome_are_resolved_without_loss_or_doubling(
    settings: Settings, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await found(settings, "health")
    cut = cut_commits(
        monkeypatch, settings, before=lambda batch: batch.first_index == 3, after=lambda batch: batch.first_index == 5
    )
    async with running(registrar(settings)):
        await until_size(connection, 3)
        await send(settings, HEALTH_TOPIC, said("a"), said("b"), said("a"))
        await until_size(connection, 5)
        await send(settings, HEALTH_TOPIC, said("c"), said("a"), None)
        await until_size(connection, 7)
        await send(settings, HEALTH_TOPIC, said("d"))
        await until_size(connection, 8)
        await require_whole_log(settings, connection)
    assert cut == [1, 1]
    assert [i for i in await ids(connection) if len(i) == 1] == ["a", "b", "c", "d"]


async def test_a_superseded_owner_writes_nothing(settings: Settings, connection: Connection) -> None:
    await found(settings, "health")
    async with connected(settings, "old owner") as old:
        journal = await open_journal(old, settings)
        await connection.execute("UPDATE platform.lease SET expires_at = now() - interval '1 s'")
        async with running(registrar(settings)):
            await send(settings, HEALTH_TOPIC, said("a"))
            await until_size(connection, 4)
            batch = Batch(0, journal.recorded, entries=[b"stale"], subjects=["x"])
            for attempt in (journal.commit(batch), journal.note_shipped(), journal.halt_topic(HEALTH_TOPIC, "stale")):
                with pytest.raises(Exception, match="superseded"):
                    await attempt
        assert await log_size(connection) == 4
        assert await halts(connection) == {}


@pytest.mark.alone
async def test_a_stop_ships_and_signs_and_frees_the_lease(settings: Settings, connection: Connection) -> None:
    await found(settings, "health")
    async with running(registrar(settings)) as (stop,):
        await until_size(connection, 3)
        await send(settings, HEALTH_TOPIC, *(said(f"e{i}") for i in range(3000)))
        await until(lambda: connection.fetchval("SELECT size > 3 FROM log.state"), "some are registered")
        began = time.monotonic()
        stop.set()
    assert time.monotonic() - began < 5
    size = await log_size(connection)
    assert await connection.fetchval("SELECT shipped_up_to FROM log.state") == size
    assert sorted(await shipped(settings)) == list(range(size))
    assert await connection.fetchval("SELECT max(size) FROM log.checkpoint") == size
    assert await connection.fetchval("SELECT expires_at < clock_timestamp() FROM platform.lease")


@pytest.mark.alone
async def test_a_silent_kafka_costs_no_lease_and_delays_no_stop(settings: Settings, connection: Connection) -> None:
    hasty = settings.model_copy(update={"lease_ms": 600, "lease_renew_ms": 100})
    async with silent_kafka(hasty) as elsewhere, running(registrar(elsewhere)) as (stop,):
        await intervals(hasty.lease_ms)
        assert await connection.fetchval("SELECT epoch FROM platform.lease") == 1
        assert await connection.fetchval("SELECT expires_at > clock_timestamp() FROM platform.lease")
        began = time.monotonic()
        stop.set()
    assert time.monotonic() - began < 5


async def test_the_logs_topic_gets_every_entry_in_order_after_errors_restarts_and_its_loss(
    settings: Settings, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed: list[int] = []
    acknowledge = Shipper._acknowledge

    def fail_once(self: Shipper, *given: object) -> None:
        acknowledge(self, *given)  # type: ignore[arg-type]
        if not failed and self.journal.size > 100:
            failed.append(self.journal.shipped_up_to)
            raise ConnectionError("the broker went away")

    monkeypatch.setattr(Shipper, "_acknowledge", fail_once)
    await found(settings, "health")
    await send(settings, HEALTH_TOPIC, *(said(f"e{i}") for i in range(500)), b"{", None)

    async def holds(records_count: int) -> bool:
        return len(await records(settings, settings.log_topic)) >= records_count

    # After the failure, and by the second one, what is within the margin is shipped again, from PostgreSQL.
    for times, size in enumerate((506, 507), 1):
        async with running(registrar(settings)):
            await send(settings, HEALTH_TOPIC, said(f"more-{size}"))
            await until_size(connection, size)
            again = size + times * settings.ship_margin_entries
            await until(partial(holds, again), "entries are shipped again")
            await require_whole_log(settings, connection)
    assert failed
    in_topic = await records(settings, settings.log_topic)
    indexes = [int(dict(record.headers)["index"]) for record in in_topic]
    assert all(index <= offset for offset, index in enumerate(indexes)), "index i never stands before offset i"
    assert all(b <= a + 1 for a, b in pairwise(indexes)), "there are repeats but no holes"
    subjects = [entry.subject for entry in await log_of(connection)]
    assert len(set(subjects)) == 6, "the agencies', the initiative's and the refusals'"
    assert [(record.key or b"").decode() for record in in_topic] == [subjects[index] for index in indexes]

    await send(settings, settings.log_topic, b"{}", headers=[("index", b"507"), ("leaf", b"00")])
    one = registrar(settings)
    async with running(one):
        assert "holds index 507" in await until_halted(one), "the database lacks it"
        await drop_topic(settings, settings.log_topic)
        await until_whole(settings, 507)
        await drop_topic(settings, settings.log_topic)
        await make_topics(settings)
        await send(settings, HEALTH_TOPIC, said("later"))
        await until_size(connection, 508)
        await until_whole(settings, 508)
        await require_whole_log(settings, connection)
        await drop_topic(settings, settings.log_topic)
        await until_whole(settings, 508)


async def until_whole(settings: Settings, size: int) -> None:
    """The log's topic, which may be missing, holds every index."""

    async def is_whole() -> bool:
        try:
            async with asyncio.timeout(2):
                return sorted(await shipped(settings)) == list(range(size))
        except TimeoutError:
            return False

    await until(is_whole, "the topic holds everything again")


async def test_a_log_that_ends_on_a_full_tile_goes_on(settings: Settings, connection: Connection) -> None:
    leaves: list[bytes] = []

    async def append(count: int) -> Journal:
        """Start anew from the database, and add entries; the last batch ends at the end."""
        journal = await open_journal(connection, settings, f"owner of {len(leaves)}")
        for first in range(0, count, 4000):
            entries = [b"%d" % (journal.size + i) for i in range(min(4000, count - first))]
            await journal.commit(Batch(journal.size, journal.recorded, entries=entries))
            leaves.extend(map(leaf_hash, entries))
        await lease.release(connection, "registrar", journal.epoch)
        tree = TileTree()
        tree.append(leaves)
        assert (journal.size, journal.tree.root()) == (len(leaves), tree.root())
        return journal

    for end in (256, 512, 65_536):
        await append(end - len(leaves))
        assert (await append(0)).tree.partial[0] == []
        await append(100)
        assert await read_checked(connection, end - 1, 3) == [b"%d" % (end - 1), b"%d" % end, b"%d" % (end + 1)]
        assert (await read_tree(connection, end)).size == end


async def test_what_is_shipped_meanwhile_is_stored_next_time(settings: Settings, connection: Connection) -> None:
    await grow(settings, 3)
    async with connected(settings, "own") as own, connected(settings, "other") as other:
        journal = await open_journal(own, settings)
        journal.shipped_up_to = 2
        async with other.transaction():
            await other.execute("SELECT FROM log.state FOR UPDATE")
            storing = asyncio.create_task(journal.note_shipped())
            waits = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $1"
            pid = own.get_server_pid()
            await until(lambda: connection.fetchval(waits, pid), "the statement waits for the row")
            journal.shipped_up_to = 3
        await storing
        await until_shipped(connection, 2)
        await journal.note_shipped()
        assert await connection.fetchval("SELECT shipped_up_to FROM log.state") == 3


@pytest.mark.alone
async def test_checkpoints_come_once_an_interval_as_the_log_grows(settings: Settings, connection: Connection) -> None:
    settings = settings.model_copy(update={"checkpoint_interval_ms": 400})
    async with at_work(settings, connection, "health"):
        for i in range(8):
            await send(settings, HEALTH_TOPIC, said(f"e{i}"))
            await asyncio.sleep(0.1)
        await until_signed(connection, 11)
        await intervals(settings.checkpoint_interval_ms, count=2)
    rows = await connection.fetch("SELECT size, note, signed_at FROM log.checkpoint ORDER BY size")
    times = [row["signed_at"].timestamp() for row in rows]
    assert 2 <= len(rows) <= 6
    assert all(b - a >= 0.95 * settings.checkpoint_interval_ms / 1000 for a, b in pairwise(times))
    assert rows[-1]["size"] == await log_size(connection)
    verifier = load_keys(log_key_files(settings)).current.verifier
    for row in rows:
        checkpoint = parse_checkpoint(row["note"], verifier)
        assert checkpoint.size == row["size"]
        assert (await read_tree(connection, checkpoint.size)).root() == checkpoint.root
    assert (settings.log_folder / "checkpoint").read_text(encoding="utf-8") == rows[-1]["note"]


Files = Mapping[str, bytes | None]


async def test_a_wrong_folder_halts_until_the_right_one_is_back(settings: Settings, connection: Connection) -> None:
    await founded(settings, connection, "health")
    folder, kept = settings.log_folder, settings.log_folder / "checkpoint"
    note = kept.read_bytes()
    kept.unlink()
    async with running(registrar(settings)):
        await until(lambda: kept.exists() and kept.read_bytes() == note, "the file is written again from the topic")
        await send(settings, HEALTH_TOPIC, said("a"))
        await until_signed(connection, 4)
    key, other = load_keys(log_key_files(settings)).current, LogKey(settings.log_origin, bytes(32))
    oldest = (await connection.fetchval("SELECT note FROM log.checkpoint ORDER BY size LIMIT 1")).encode()

    def signed(at: int) -> bytes:
        return sign_note(checkpoint_text(key.name, at, bytes(32)), [key]).encode()

    # Two of the same words do not follow each other: each reason is of another try.
    cases: dict[str, tuple[Files, str]] = {
        "the key is gone": ({"log.skey": None}, "log.skey is gone"),
        "no checkpoint, and none in the topic": ({"checkpoint": None}, "restore the file"),
        "the key of another log": ({"log.skey": other.skey.encode()}, "log.skey"),
        "an older checkpoint, and none in the topic": ({"checkpoint": oldest}, "restore the file"),
        "an unreadable key": ({"log.skey": b"\xff"}, "log.skey"),
        "what is no checkpoint": ({"checkpoint": b"nonsense"}, "not a checkpoint"),
        "a key that others may read": ({}, "log.skey"),
        "a checkpoint that is newer than the database": ({"checkpoint": signed(5)}, "yesser recover"),
        "the folder of another log": (
            {
                "log.skey": other.skey.encode(),
                "log.vkey": other.verifier.vkey.encode(),
                "checkpoint": other.sign_checkpoint(1, bytes(32)).encode(),
            },
            "restore the whole folder",
        ),
        "a checkpoint with another root": ({"checkpoint": signed(4)}, "do not give the root"),
        "an empty folder": (dict.fromkeys(("log.skey", "log.vkey", "checkpoint")), "log.skey is gone"),
    }
    right = files(folder) | {"log.vkey": (folder / "log.vkey").read_bytes()}
    await drop_topic(settings, settings.checkpoints_topic)
    await send(settings, HEALTH_TOPIC, said("b"))
    one = registrar(settings)
    async with running(one):
        for name, (changed, words) in cases.items():
            put(folder, {**right, **changed})
            if not changed:
                (folder / "log.skey").chmod(0o644)
            wrong = files(folder)
            await until(partial(has_halted, one, words), name)
            assert await log_size(connection) == 4, name
            assert files(folder) == wrong, f"{name}: nothing is made or changed"
        put(folder, right)
        await until_size(connection, 5)
        await until_ready(one)
        assert one.progress.halted is None
        await until_signed(connection, 5)


def has_halted(one: Registrar, words: str) -> bool:
    return words in (one.progress.halted or "")


def files(folder: Path) -> dict[str, bytes]:
    """The secret key and the checkpoint, where they are there."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "log.vkey"}


def put(folder: Path, files: Files) -> None:
    """Put these files into the folder; None takes one away."""
    for name, data in files.items():
        (folder / name).unlink(missing_ok=True)
        if data is not None:
            (folder / name).write_bytes(data)
            (folder / name).chmod(0o600)
