"""The registrar on the real Kafka and PostgreSQL: what is read, when, and what is never lost or doubled."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from consumers.registrar.batch import Batch
from consumers.registrar.journal import Journal
from consumers.registrar.registrar import Registrar
from consumers.registrar.shipper import Shipper
from events.validation.verdicts import Agency
from infra.kafka.client_config import agency_topic
from infra.log.merkle import TileTree, leaf_hash
from infra.log.reader import log_size, read_entries, read_tree
from infra.log.signed_note import LogKey, checkpoint_text, parse_checkpoint, sign_note
from infra.postgres.connection import Connection, connected
from infra.postgres.verdicts import next_sequence
from infra.private_keys.key_files import load_keys, log_key_files
from infra.process import lease, retention
from infra.settings import Settings
from tests.integration.consumers.registrar.cut_commits import MOMENTS, cut_commit
from tests.world.logs import open_journal
from tests.world.records import LABOUR, registered, said
from tests.world.registrars import (
    found,
    founded,
    halts,
    ids,
    log_of,
    registrar,
    require_whole_log,
    shipped,
    terminate,
    until_halted,
    until_ready,
    until_shipped,
    until_signed,
    until_size,
    until_topic_halted,
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

TAKE_OVER_S = 10.0


async def test_an_agency_is_heard_only_after_its_registration(settings: Settings, connection: Connection) -> None:
    await found(settings)
    await make_topics(settings, "health")
    await send(settings, HEALTH_TOPIC, said("early"))
    async with running(registrar(settings)):
        await until_size(connection, 2)
        await intervals(settings.poll_timeout_ms)
        assert await log_size(connection) == 2
        await send(settings, PLATFORM_TOPIC, registered("health"))
        await until_size(connection, 4)
    assert await ids(connection) == ["agency.platform", "agency.yesser", "agency.health", "early"]
    first, second, *_ = await log_of(connection)
    assert (first.data["code"], first.data["role"], first.address) == ("platform", "platform", f"{PLATFORM_TOPIC}/0/0")
    assert (second.data["code"], second.data["role"]) == ("yesser", "office")


async def test_an_agency_without_a_topic_holds_nobody_up(settings: Settings, connection: Connection) -> None:
    await found(settings, "labour")
    await send(settings, PLATFORM_TOPIC, registered("health"))
    async with running(registrar(settings)):
        await until_size(connection, 4)
        await send(settings, LABOUR_TOPIC, said("a", agency=LABOUR))
        await until_size(connection, 5)
        await make_topics(settings, "health")
        await send(settings, HEALTH_TOPIC, said("b"))
        await until_size(connection, 6)
    assert await halts(connection) == {}


async def test_a_batch_is_one_transaction(settings: Settings, connection: Connection) -> None:
    await founded(settings, connection, "health")
    await send(settings, HEALTH_TOPIC, *(said(f"e{i}", sequence=i + 1) for i in range(300)), None, said("e0"))
    async with running(registrar(settings)):
        await until_size(connection, 304)
        await require_whole_log(settings, connection)
    written = await connection.fetch(
        "SELECT xmin::text AS transaction FROM log.segment WHERE first_index >= 3 "
        "UNION SELECT xmin::text FROM log.event_id WHERE index >= 3 UNION SELECT xmin::text FROM log.duplicate "
        "UNION SELECT xmin::text FROM log.refusal UNION SELECT xmin::text FROM log.sequence_state"
    )
    assert len(written) == 1
    sequences = await connection.fetchrow("SELECT seen::text, accepted::text, repeated::text FROM log.sequence_state")
    assert sequences is not None
    assert tuple(sequences) == ("{[1,301)}", "{[1,301)}", "{}")


async def test_sequences_add_up_and_repeats_are_remembered(settings: Settings, connection: Connection) -> None:
    await found(settings, "health")
    async with running(registrar(settings)):
        await until_size(connection, 3)
        await send(settings, HEALTH_TOPIC, said("a", sequence=1), said("b", sequence=2))
        await until_size(connection, 5)
        await send(settings, HEALTH_TOPIC, said("c", sequence=2), said("d", sequence=5), said("a", sequence=4))
        await until_size(connection, 7)
    row = await connection.fetchrow("SELECT seen::text, accepted::text, repeated::text FROM log.sequence_state")
    assert row is not None
    assert tuple(row) == ("{[1,3),[4,6)}", "{[1,3),[5,6)}", "{[2,3)}")


async def test_the_highest_number_of_a_month_is_by_time_in_riyadh(settings: Settings, connection: Connection) -> None:
    moment = datetime(2026, 10, 31, 20, 59, tzinfo=UTC)
    # The past is not what is tested here.
    settings = settings.model_copy(update={"clock_difference_max_s": 1e9})
    await found(settings, "health")
    async with running(Registrar(settings, lambda: moment)):
        await until_size(connection, 3)
        await send(settings, HEALTH_TOPIC, said("a", sequence=1), said("b", sequence=4))
        await until_size(connection, 5)
        moment = datetime(2026, 10, 31, 21, 0, tzinfo=UTC)
        await send(settings, HEALTH_TOPIC, said("c", sequence=7), said("d", sequence=6))
        await until_size(connection, 7)
        await send(settings, HEALTH_TOPIC, said("e", sequence=5))
        await until_size(connection, 8)
    rows = await connection.fetch("SELECT month, highest FROM log.sequence_month WHERE agency = 'health' ORDER BY 1")
    assert [tuple(row) for row in rows] == [("2026-10", 4), ("2026-11", 7)]


async def test_hostile_records_are_one_refusal_each(settings: Settings, connection: Connection) -> None:
    await found(settings, "health")
    many_faults = said("f").replace(b'"initiative_id"', b",".join(b'"x%d":1,"y"' % i for i in range(1)) + b':1,"z"')
    await send(settings, HEALTH_TOPIC, b"{", headers=[("nul\x00in the name", b"\x00")])
    await send(settings, HEALTH_TOPIC, None, b"", b"\xff", b"[" * 50_000, b"x" * 61_441, many_faults, said("good"))
    async with running(registrar(settings)):
        await until_size(connection, 11)
        await require_whole_log(settings, connection)
    assert await connection.fetchval("SELECT count(*) FROM log.refusal") == 7
    assert await connection.fetchval("SELECT count(*) FROM log.dead_letter") == 7
    assert (await ids(connection))[-1] == "good"


async def test_refused_records_are_kept_for_their_retention_by_the_time_of_the_log(
    settings: Settings, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "EVERY_S", 0.05)
    monkeypatch.setattr(retention, "ROWS_MAX", 2)
    await found(settings, "health")
    await send(settings, HEALTH_TOPIC, *[b"{"] * 5)
    then = datetime.now(UTC) - timedelta(days=401)
    kept = "SELECT array_agg(index ORDER BY index) FROM log.dead_letter"
    async with running(Registrar(settings.model_copy(update={"clock_difference_max_s": 1e9}), lambda: then)):
        await until_size(connection, 8)
        await asyncio.sleep(0.5)
        assert len(await connection.fetchval(kept)) == 5, "a clock alone deletes nothing"
    await send(settings, HEALTH_TOPIC, b"[", said("good"))
    async with running(registrar(settings)):
        await until_size(connection, 10)
        await until(lambda: connection.fetchval(f"SELECT ({kept}) = '{{8}}'"), "the old ones are deleted, in batches")
        await require_whole_log(settings, connection)
    assert await connection.fetchval("SELECT count(*) FROM log.refusal") == 6, "the refusals stay"


@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_commit_with_an_unknown_outcome_is_resolved_without_loss_or_doubling(
    settings: Settings, connection: Connection, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    await found(settings, "health")
    cut = cut_commit(monkeypatch, settings, moment, lambda batch: batch.first_index == 3)
    async with running(registrar(settings)):
        await until_size(connection, 3)
        await send(settings, HEALTH_TOPIC, said("a"), said("b"), said("a"), None)
        await until_size(connection, 6)
        await send(settings, HEALTH_TOPIC, said("c"))
        await until_size(connection, 7)
        await require_whole_log(settings, connection)
    assert cut == [1]
    assert [i for i in await ids(connection) if len(i) == 1] == ["a", "b", "c"]


async def test_sessions_that_die_often_lose_and_double_nothing(settings: Settings, connection: Connection) -> None:
    await found(settings, "health", "labour")

    async def disturb() -> None:
        for _ in range(12):
            await asyncio.sleep(0.15)
            await terminate(settings, "registrar%")

    async with running(registrar(settings)):
        await until_size(connection, 4)
        disturbing = asyncio.create_task(disturb())
        for i in range(0, 600, 50):
            await send(settings, HEALTH_TOPIC, *(said(f"e{i + j}") for j in range(50)), said(f"e{i}"))
            await send(settings, LABOUR_TOPIC, *(said(f"e{i + j}", agency=LABOUR) for j in range(50)))
        await disturbing
        await until_size(connection, 4 + 1200)
        await require_whole_log(settings, connection)


async def test_a_superseded_owner_writes_nothing(settings: Settings, connection: Connection) -> None:
    await founded(settings, connection, "health")
    async with connected(settings, "old owner") as old:
        journal = await open_journal(old, settings)
        await connection.execute("UPDATE platform.lease SET expires_at = now() - interval '1 s'")
        async with running(registrar(settings)):
            await send(settings, HEALTH_TOPIC, said("a"))
            await until_size(connection, 4)
            batch = Batch(3, journal.recorded, entries=[b"stale"], subjects=["x"])
            for attempt in (journal.commit(batch), journal.note_shipped(), journal.halt_topic(HEALTH_TOPIC, "stale")):
                with pytest.raises(Exception, match="superseded"):
                    await attempt
        assert await log_size(connection) == 4
        assert await halts(connection) == {}


@pytest.mark.alone
async def test_a_standby_takes_over_when_the_owner_stops(settings: Settings, connection: Connection) -> None:
    await found(settings, "health")
    first, second = registrar(settings), registrar(settings)
    async with running(first, second) as stops:
        await until_size(connection, 3)
        await until(lambda: first.readiness().ready and second.readiness().ready, "one works and one stands by")
        works = 0 if second.progress.standby else 1
        assert (first, second)[1 - works].readiness().details["role"] == "standby"
        began = time.monotonic()
        stops[works].set()
        # Before that the one that stops may still read, and rightly registers, what is sent.
        await until(lambda: (first, second)[1 - works].readiness().details["role"] == "active", "the other one works")
        await send(settings, HEALTH_TOPIC, said("a"))
        await until_size(connection, 4)
        assert time.monotonic() - began < TAKE_OVER_S
        await require_whole_log(settings, connection)


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
async def test_while_kafka_does_not_answer_the_lease_is_kept_and_a_stop_ends_the_process(
    settings: Settings, connection: Connection
) -> None:
    hasty = settings.model_copy(update={"lease_ms": 600, "lease_renew_ms": 100})
    async with silent_kafka(hasty) as elsewhere, running(registrar(elsewhere)) as (stop,):
        await asyncio.sleep(1.5)
        assert await connection.fetchval("SELECT epoch FROM platform.lease") == 1
        assert await connection.fetchval("SELECT expires_at > clock_timestamp() FROM platform.lease")
        began = time.monotonic()
        stop.set()
    assert time.monotonic() - began < 5


async def test_broken_topics_halt_alone_and_stay_halted(settings: Settings, connection: Connection) -> None:
    broken: dict[str, list[bytes] | None] = {
        "health": [said("a")],
        "justice": [said("x"), said("y"), said("z")],
        "interior": None,
    }
    await found(settings, *broken, "labour")
    for code in broken:
        agency = Agency(code, "agency")
        await send(settings, agency_topic(code), said("a", agency=agency), said("b", agency=agency))
    async with running(registrar(settings)):
        await until_size(connection, 12)
    for code, contents in broken.items():
        await drop_topic(settings, agency_topic(code))
        if contents is not None:  # it lost its tail, or was created again
            await make_topics(settings, code)
            await send(settings, agency_topic(code), *contents)
    async with running(registrar(settings)):
        reasons = {agency_topic(code): await until_topic_halted(connection, agency_topic(code)) for code in broken}
        assert all("runbook" in reason for reason in reasons.values()), reasons
        await send(settings, LABOUR_TOPIC, said("c", agency=LABOUR))
        await until_size(connection, 13)
    async with running(registrar(settings)):
        await send(settings, LABOUR_TOPIC, said("d", agency=LABOUR))
        await until_size(connection, 14)
        assert await halts(connection) == reasons
        await require_whole_log(settings, connection)


async def test_the_logs_topic_is_shipped_again_from_the_start_when_it_is_gone_or_was_made_anew(
    settings: Settings, connection: Connection
) -> None:
    await found(settings, "health")
    await send(settings, HEALTH_TOPIC, *(said(f"e{i}") for i in range(700)))
    async with running(registrar(settings)):
        await until_size(connection, 703)
        await until_shipped(connection, 703)
        await drop_topic(settings, settings.log_topic)
        await make_topics(settings)
        await send(settings, HEALTH_TOPIC, said("later"))
        await until_size(connection, 704)
        await until_whole(settings, 704)
        await require_whole_log(settings, connection)
        await drop_topic(settings, settings.log_topic)
        await until_whole(settings, 704)


async def until_whole(settings: Settings, size: int) -> None:
    """The log's topic, which may be missing, holds every index."""

    async def is_whole() -> bool:
        try:
            async with asyncio.timeout(2):
                return sorted(await shipped(settings)) == list(range(size))
        except TimeoutError:
            return False

    await until(is_whole, "the topic holds everything again")


async def test_repeats_in_the_logs_topic_are_the_same_bytes_in_order_with_their_entrys_subject_as_key(
    settings: Settings, connection: Connection
) -> None:
    await found(settings, "health")
    await send(settings, HEALTH_TOPIC, *(said(f"e{i}") for i in range(5)), b"{", None)
    for size in (11, 12, 13):  # the later ones ship again what is within the margin, from PostgreSQL
        async with running(registrar(settings)):
            await send(settings, HEALTH_TOPIC, said(f"more-{size}"))
            await until_size(connection, size)
    await require_whole_log(settings, connection)
    in_topic = await records(settings, settings.log_topic)
    indexes = [int(dict(record.headers)["index"]) for record in in_topic]
    assert len(indexes) > 2 * 13, "entries are shipped again"
    assert all(index <= offset for offset, index in enumerate(indexes)), "index i never stands before offset i"
    assert all(b <= a + 1 for a, b in pairwise(indexes)), "there are repeats but no holes"
    subjects = [entry.subject for entry in await log_of(connection)]
    assert len(set(subjects)) == 6, "the agencies', the initiative's and the refusals'"
    assert [(record.key or b"").decode() for record in in_topic] == [subjects[index] for index in indexes]


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
        assert await read_entries(connection, end - 1, 3) == [b"%d" % (end - 1), b"%d" % end, b"%d" % (end + 1)]
        assert (await read_tree(connection, end)).size == end


async def test_what_is_shipped_meanwhile_is_stored_next_time(settings: Settings, connection: Connection) -> None:
    await founded(settings, connection, "health")
    await connection.execute("UPDATE log.state SET shipped_up_to = 0")
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


async def test_after_a_producers_error_everything_is_shipped_again_from_the_margin(
    settings: Settings, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await found(settings, "health")
    failed: list[int] = []
    acknowledge = Shipper._acknowledge

    def fail_once(self: Shipper, *given: object) -> None:
        acknowledge(self, *given)  # type: ignore[arg-type]
        if not failed and self.journal.size > 100:
            failed.append(self.journal.shipped_up_to)
            raise ConnectionError("the broker went away")

    monkeypatch.setattr(Shipper, "_acknowledge", fail_once)
    async with running(registrar(settings)):
        await until_size(connection, 3)
        await send(settings, HEALTH_TOPIC, *(said(f"e{i}") for i in range(500)))
        await until_size(connection, 503)
        await require_whole_log(settings, connection)
    assert failed


@pytest.mark.alone
async def test_checkpoints_are_signed_at_most_once_an_interval_and_only_while_the_log_grows(
    settings: Settings, connection: Connection
) -> None:
    settings = settings.model_copy(update={"checkpoint_interval_ms": 1_000})
    await found(settings, "health")
    async with running(registrar(settings)):
        await until_size(connection, 3)
        for i in range(24):
            await send(settings, HEALTH_TOPIC, said(f"e{i}"))
            await asyncio.sleep(0.1)
        await asyncio.sleep(2.5)
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


async def test_a_checkpoint_is_on_the_disk_before_it_is_in_the_database(
    settings: Settings, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await found(settings)
    seen: list[int] = []

    def cut(folder: Path, note: str) -> None:
        seen.append(int(note.split("\n")[1]))
        raise ConnectionError("the machine went down before the file was written")

    async with running(registrar(settings)):
        await until_size(connection, 2)
        monkeypatch.setattr("consumers.registrar.signer.write_checkpoint", cut)
        await send(settings, PLATFORM_TOPIC, registered("health"))
        await until(lambda: 3 in seen, "it tried to sign")
        assert await connection.fetchval("SELECT count(*) FROM log.checkpoint WHERE size = 3") == 0
        monkeypatch.undo()
        await until(
            lambda: connection.fetchval("SELECT count(*) FROM log.checkpoint WHERE size = 3"), "it signs once it can"
        )


async def test_a_missing_checkpoint_is_written_again_from_the_topic_and_without_that_it_has_to_be_put_back(
    settings: Settings, connection: Connection
) -> None:
    await founded(settings, connection, "health")
    kept = settings.log_folder / "checkpoint"
    note = kept.read_text(encoding="utf-8")
    kept.unlink()
    async with running(registrar(settings)):
        await until(lambda: kept.exists() and kept.read_text(encoding="utf-8") == note, "the file is written again")
    oldest = await connection.fetchval("SELECT note FROM log.checkpoint ORDER BY size LIMIT 1")
    for size, left in enumerate((None, oldest), 3):
        note = kept.read_text(encoding="utf-8")
        await drop_topic(settings, settings.checkpoints_topic)
        kept.unlink()
        if left is not None:
            kept.write_text(left, encoding="utf-8")
        one = registrar(settings)
        with capture_logs() as lines:
            async with running(one):
                assert "restore the file" in await until_halted(one)
                await send(settings, HEALTH_TOPIC, said(f"e{size}"))
                await intervals(settings.halted_retry_ms)
                assert await log_size(connection) == size
                assert (kept.read_text(encoding="utf-8") if kept.exists() else None) == left
                kept.write_text(note, encoding="utf-8")
                await until_size(connection, size + 1)
                assert one.progress.halted is None
                await until_ready(one)
                await until_signed(connection)
        assert sum("nothing more is written" in line["event"] for line in lines) == 1, f"a halt is said once: {lines}"


async def test_a_wrong_folder_halts_until_the_right_one_is_back(settings: Settings, connection: Connection) -> None:
    await founded(settings, connection, "health")
    folder = settings.log_folder
    key, other = load_keys(log_key_files(settings)).current, LogKey(settings.log_origin, bytes(32))
    size = 3

    def signed(at: int) -> bytes:
        return sign_note(checkpoint_text(key.name, at, bytes(32)), [key]).encode()

    cases: dict[str, tuple[Callable[[], dict[str, bytes | None]], str]] = {
        "the key is gone": (lambda: {"log.skey": None}, "log.skey is gone"),
        "the key of another log": (lambda: {"log.skey": other.skey.encode()}, "log.skey"),
        "an unreadable key": (lambda: {"log.skey": b"\xff"}, "log.skey"),
        "a key that others may read": (dict, "log.skey"),
        "the folder of another log": (
            lambda: {
                "log.skey": other.skey.encode(),
                "log.vkey": other.verifier.vkey.encode(),
                "checkpoint": other.sign_checkpoint(1, bytes(32)).encode(),
            },
            "restore the whole folder",
        ),
        "an empty folder": (lambda: dict.fromkeys(("log.skey", "log.vkey", "checkpoint")), "log.skey is gone"),
        "no checkpoint": (lambda: {"checkpoint": b"nonsense"}, "not a checkpoint"),
        "a checkpoint that is newer than the database": (lambda: {"checkpoint": signed(size + 1)}, "yesser recover"),
        "a checkpoint with another root": (lambda: {"checkpoint": signed(size)}, "root"),
    }
    for name, (changed, words) in cases.items():
        right = files(folder) | {"log.vkey": (folder / "log.vkey").read_bytes()}
        put(folder, changed())
        if not changed():
            (folder / "log.skey").chmod(0o644)
        wrong = files(folder)
        one = registrar(settings)
        async with running(one):
            assert words in await until_halted(one), name
            await send(settings, HEALTH_TOPIC, said(f"e{size}"))
            await intervals(settings.halted_retry_ms)
            assert await log_size(connection) == size, name
            assert files(folder) == wrong, f"{name}: nothing is made or changed"
            put(folder, right)
            size += 1
            await until_size(connection, size)
            assert one.progress.halted is None
    assert await connection.fetchval("SELECT max(size) FROM log.checkpoint") == size


def files(folder: Path) -> dict[str, bytes]:
    """The secret key and the checkpoint, where they are there."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "log.vkey"}


def put(folder: Path, files: Mapping[str, bytes | None]) -> None:
    """Put these files into the folder; None takes one away."""
    for name, data in files.items():
        if data is None:
            (folder / name).unlink()
        else:
            (folder / name).write_bytes(data)
            (folder / name).chmod(0o600)


async def test_a_topic_with_entries_that_the_database_lacks_halts(settings: Settings, connection: Connection) -> None:
    await founded(settings, connection)
    await send(settings, settings.log_topic, b"{}", headers=[("index", b"2"), ("leaf", b"00")])
    one = registrar(settings)
    async with running(one):
        assert "holds index 2" in await until_halted(one)


async def test_an_unforeseen_error_ends_the_process(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(self: Journal) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(Journal, "open", broken)
    with pytest.raises(SystemExit) as ended:
        await registrar(settings).run(asyncio.Event())
    assert ended.value.code == 70


async def test_numbers_without_order_are_kept_up_to_a_limit(settings: Settings, connection: Connection) -> None:
    settings = settings.model_copy(update={"sequence_ranges_max": 20})
    await found(settings, "health")
    state = "SELECT seen::text, accepted::text, highest, overflowed_index FROM log.sequence_state"
    async with running(registrar(settings)):
        await until_size(connection, 3)
        for batch in range(3):
            await send(
                settings, HEALTH_TOPIC, *(said(f"e{batch}.{i}", sequence=100 * batch + 2 * i) for i in range(1, 16))
            )
            await until_size(connection, 3 + 15 * (batch + 1))
        kept = await connection.fetchrow(state)
        assert kept is not None
        assert kept["seen"].count("[") in (15, 30, 45)
        await send(settings, HEALTH_TOPIC, said("far", sequence=10**20 - 1), said("near", sequence=5))
        await until_size(connection, 50)
        row = await connection.fetchrow(state)
        assert row is not None
        assert (row["seen"], row["accepted"]) == (kept["seen"], kept["accepted"])
        assert row["highest"] == 10**20 - 1
        assert 18 <= row["overflowed_index"] <= 50
        assert await next_sequence(connection, "health") == 10**20
