"""Rebuilding: the same rows from the log alone, differences named with their entry, swapped in under the lock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import astuple, replace
from hashlib import sha256
from typing import Any

import pytest
import rfc8785
from structlog.testing import capture_logs

from consumers.models.registry import CONSUMERS
from consumers.programme.projections.consumer import CONSUMER as PROJECTIONS
from consumers.proof.commands.rebuild_command import report_of
from consumers.proof.commitments.commitment import hash_read_models
from consumers.proof.commitments.trail import said_in_log
from consumers.replay.fold import replay
from consumers.replay.fold.consumer import Consumer
from consumers.replay.fold.table_hash import TableHash
from consumers.replay.fold.version import FoldVersion
from consumers.replay.pipeline.batch import Batch
from consumers.replay.pipeline.pipeline import Pipeline
from consumers.replay.pipeline.writer import NewerRules, Writer
from consumers.replay.rebuild import rebuild as module
from consumers.replay.rebuild.comparison import table_hash
from consumers.replay.rebuild.lasting_scratch import LastingScratch
from consumers.replay.rebuild.rebuild import (
    AlreadyRunning,
    OtherRules,
    RebuildOptions,
    Rebuilt,
    SessionEnded,
    rebuild,
)
from events.errors import Fenced
from events.wire.entry import parse_entry
from infra.log.bundle import split_bundle
from infra.log.merkle import leaf_hash
from infra.log.ports.tree import WrongTree
from infra.log.reader import ChangedEntry
from infra.postgres.connection import Connection, connected
from infra.postgres.unit_of_work import Table
from infra.process.subprocess_command import subprocess_command
from infra.settings import Settings
from tests.every import every
from tests.oracle.history import MIXED, entries_from, generate
from tests.oracle.log import EntryDict
from tests.world.commands import yesser_json
from tests.world.logs import apply_live, bundle_of, raw_entries, sign, write_log, write_tree
from tests.world.memory_log import KEY
from tests.world.waits import running, until

SWAP = RebuildOptions(compare=True, swap=True)
BATCH = 256
"""Entries of a batch, where a rebuild is interrupted after its first."""
HOLDS_ANOTHER_UP = (
    "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))"
)
HOLDS_POSITION = (
    "SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'platform.position'::regclass AND mode = 'RowShareLock')"
)


@pytest.fixture(scope="module")
def log() -> list[EntryDict]:
    return entries_from(generate(31, 700, MIXED))


@pytest.fixture(scope="module")
def raw(log: list[EntryDict]) -> list[bytes]:
    return raw_entries(log)


@pytest.fixture
async def written(connection: Connection, raw: list[bytes]) -> Connection:
    await write_log(connection, raw)
    return connection


@pytest.fixture
async def live(written: Connection, raw: list[bytes]) -> Connection:
    """The log is written, and the projections have applied it."""
    await apply_live(written, PROJECTIONS, raw)
    return written


async def version(connection: Connection) -> FoldVersion:
    row = await connection.fetchrow("SELECT rules_version, fold_sha256 FROM platform.position")
    assert row is not None
    return FoldVersion(*row)


async def scratch_schemas(connection: Connection) -> int:
    count: int = await connection.fetchval("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'rebuild%'")
    return count


@every("name", sorted(CONSUMERS))
async def test_a_rebuild_that_was_interrupted_goes_on_where_it_was_and_gives_the_live_rows(
    settings: Settings, written: Connection, raw: list[bytes], short_batches: None, name: str
) -> None:
    consumer: Consumer = CONSUMERS[name]
    await apply_live(written, consumer, raw)
    stored = await interrupted(settings, written, consumer)
    assert 0 < stored < len(raw)
    told: list[int] = []
    swapped = await rebuild(settings, consumer, SWAP, told.append)
    assert first_told(told) == stored, "nothing is folded again"
    assert (swapped.ok, sum(told)) == (True, len(raw))
    rebuilt = await rebuild(settings, consumer)
    assert (rebuilt.ok, rebuilt.first_difference, rebuilt.log_index) == (True, None, len(raw))
    assert [model.name for model in rebuilt.read_models] == [table.name for table in consumer.stored_tables]
    assert sum(model.rows for model in rebuilt.read_models) > 0
    assert await scratch_schemas(written) == 0
    assert await written.fetchval("SELECT count(*) FROM platform.outbox") == 0


def row_differs(rebuilt: Rebuilt) -> tuple[str, int | None, str | None]:
    """Read model, index and event id of the first difference."""
    found = rebuilt.first_difference
    assert found is not None
    return found.rows[0].read_model, found.index, found.event["id"] if found.event else None


async def test_a_lost_entry_and_a_row_that_was_changed_is_missing_is_too_many_or_is_behind_lead_to_their_event(
    settings: Settings, written: Connection, raw: list[bytes], log: list[EntryDict]
) -> None:
    """Each change stands before the ones that were made earlier."""
    lost = max(e["index"] for e in log if e["event"]["type"].endswith("service.launched.v1"))
    await apply_live(written, PROJECTIONS, raw, without=frozenset({lost}))
    assert row_differs(await rebuild(settings, PROJECTIONS))[1:] == (lost, log[lost]["event"]["id"])
    kind, agency = "service.registered", "health"
    told = [e["index"] for e in log if e["event"]["type"] == f"sa.gov.yesser.{kind}.v1" and is_from(e, agency)]
    middle = len(told) // 2
    index = await written.fetchval(
        "SELECT first_index FROM projections.certificate WHERE first_index > $1 ORDER BY 1 LIMIT 1", told[middle]
    )
    await written.execute("UPDATE projections.certificate SET trainee = 'trn_x' WHERE first_index = $1", index)
    rebuilt = await rebuild(settings, PROJECTIONS)
    assert not rebuilt.ok
    assert row_differs(rebuilt) == ("certificate", index, log[index]["event"]["id"])
    assert {model.name: model.differing_rows for model in rebuilt.read_models if not model.ok}["certificate"] == 1
    # Its activity is put back to what it was in the middle of the log: the next such event is the answer.
    await written.execute(
        "UPDATE projections.activity SET count = $1, last_index = $2 WHERE agency = $3 AND type = $4",
        middle,
        told[middle - 1],
        agency,
        kind,
    )
    assert row_differs(await rebuild(settings, PROJECTIONS))[:2] == ("activity", told[middle])
    index = await written.fetchval("SELECT min(index) FROM projections.history")
    await written.execute("DELETE FROM projections.history WHERE index = $1", index)
    assert row_differs(await rebuild(settings, PROJECTIONS))[:2] == ("history", index)
    await written.execute("INSERT INTO projections.history VALUES (0, 0, 'service/X', 't', 'a', NULL, NULL, '{}')")
    assert row_differs(await rebuild(settings, PROJECTIONS))[:2] == ("history", 0)


def is_from(entry: EntryDict, agency: str) -> bool:
    return bool(entry["event"]["source"].endswith(f":{agency}"))


async def test_a_swap_clears_what_was_left_and_waits_its_turn(settings: Settings, live: Connection) -> None:
    await live.execute(
        "CREATE SCHEMA rebuild_projections AUTHORIZATION yesser_projections_owner CREATE TABLE plan (x int)"
    )
    await live.execute("DELETE FROM projections.certificate")
    async with live.transaction():
        await live.execute("UPDATE platform.position SET halted_reason = NULL WHERE consumer = 'projections'")
        task = asyncio.create_task(rebuild(settings, PROJECTIONS, SWAP))
        await until(lambda: live.fetchval(HOLDS_ANOTHER_UP), "the swap waits for the row")
        assert not task.done()
    swapped = await task
    assert (swapped.swapped, swapped.ok) == (True, False)
    assert (await rebuild(settings, PROJECTIONS)).ok
    assert await scratch_schemas(live) == 0


async def test_live_and_rebuilt_are_compared_at_one_index_while_the_live_side_moves_and_goes_on_over_a_swap(
    settings: Settings, written: Connection, raw: list[bytes]
) -> None:
    """Its connection keeps prepared statements of the old tables; they must mean the new ones afterwards."""
    await apply_live(written, PROJECTIONS, raw[:97])
    moving = asyncio.create_task(apply_live(written, PROJECTIONS, raw[:600]))
    found = [await rebuild(settings, PROJECTIONS, options) for options in (RebuildOptions(), SWAP)]
    await moving
    assert [rebuilt.ok for rebuilt in found] == [True, True]
    await apply_live(written, PROJECTIONS, raw)
    rebuilt = await rebuild(settings, PROJECTIONS)
    assert (rebuilt.ok, rebuilt.log_index) == (True, len(raw))


async def test_a_swap_waits_for_readers_of_the_old_tables_and_keeps_what_was_folded(
    settings: Settings, live: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consumers.replay.rebuild.rebuild.READERS_END_MS", 50)
    monkeypatch.setattr("consumers.replay.rebuild.rebuild.SWAP_AGAIN_S", 0.05)
    folded: list[int] = []
    hashed: list[str] = []

    async def noted_hash(connection: Connection, table: Table[Any]) -> TableHash:
        hashed.append(table.name)
        return await table_hash(connection, table)

    monkeypatch.setattr(module, "table_hash", noted_hash)
    with capture_logs() as lines:
        async with live.transaction():
            await live.execute("LOCK TABLE projections.certificate IN ACCESS SHARE MODE")
            task = asyncio.create_task(rebuild(settings, PROJECTIONS, SWAP, folded.append))

            tries = len(hashed)

            async def waits() -> bool:
                nonlocal tries
                tries = tries or (len(folded) if len(hashed) == len(PROJECTIONS.stored_tables) else 0)
                return tries > 0 and len(folded) > tries + 2

            await until(waits, "the swap is tried again")
            assert not task.done()
        assert (await task).swapped
    assert hashed == [table.name for table in PROJECTIONS.stored_tables], "hashed once, before the first try"
    assert sum(folded) == await live.fetchval("SELECT position FROM platform.position WHERE consumer = 'projections'")
    assert [line["event"].split()[0] for line in lines] == ["the", "swapped"]


async def test_while_rows_are_hashed_and_compared_the_live_consumer_goes_on_and_progress_is_told(
    settings: Settings, written: Connection, raw: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each hash takes until the consumer has applied an entry more. The first waits for three signs of progress:
    without them the process would be stalled."""
    end = len(raw) - len(PROJECTIONS.stored_tables)
    await apply_live(written, PROJECTIONS, raw[:end])
    await written.execute("SET lock_timeout = '1s'")
    applied = end
    signs: list[int] = []

    async def slow_hash(connection: Connection, table: Table[Any]) -> TableHash:
        nonlocal applied
        if applied == end:
            before = len(signs)
            await until(lambda: len(signs) > before + 2, "three signs of progress while the rows are hashed")
            assert set(signs[before:]) == {0}
        applied += 1
        await apply_live(written, PROJECTIONS, raw[:applied])
        return await table_hash(connection, table)

    with monkeypatch.context() as patched:
        patched.setattr(module, "REPORT_S", 0.01)
        patched.setattr(module, "table_hash", slow_hash)
        swapped = await rebuild(settings, PROJECTIONS, SWAP, signs.append)
    assert (swapped.ok, swapped.log_index, swapped.swapped_at) == (True, end, len(raw))
    assert report_of([swapped]).swapped_at == {"projections": len(raw)}
    assert (await rebuild(settings, PROJECTIONS)).ok


async def test_one_that_is_suspended_gives_up_the_live_position_and_its_lock_and_the_next_goes_on(
    settings: Settings, live: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A suspended process sends nothing more: PostgreSQL ends its session."""
    suspended = asyncio.Event()

    async def sends_nothing(*_: object) -> bool:
        suspended.set()
        await asyncio.Event().wait()
        return False

    async def end(task: asyncio.Task[Rebuilt]) -> None:
        task.cancel()
        with suppress(asyncio.CancelledError, SessionEnded):
            await task

    with monkeypatch.context() as patch:
        patch.setattr(module, "_exchange", sends_nothing)
        hasty = settings.model_copy(update={"idle_in_transaction_timeout_ms": 300})
        task = asyncio.create_task(rebuild(hasty, PROJECTIONS, SWAP))
        await suspended.wait()
        assert await live.fetchval(HOLDS_POSITION), "the swap holds the live position"
        await live.execute("SET lock_timeout = '10s'")
        await live.execute("UPDATE platform.position SET halted_reason = NULL WHERE consumer = 'projections'")
        await end(task)
    told: list[int] = []
    assert (await rebuild(settings, PROJECTIONS, SWAP, told.append)).swapped
    assert first_told(told) == sum(told), "all was folded already"
    suspended.clear()
    with monkeypatch.context() as patch:
        patch.setattr(module, "SUSPENDED_MS_MAX", 300)
        patch.setattr(module, "_require_comparable", sends_nothing)
        task = asyncio.create_task(rebuild(settings, PROJECTIONS, SWAP))
        await suspended.wait()

    async def begins() -> bool:
        with suppress(AlreadyRunning):
            return (await rebuild(settings, PROJECTIONS, SWAP)).swapped
        return False

    await until(begins, "PostgreSQL ends the session of the first")
    await end(task)


class Killed(Exception):
    """Ends a rebuild in its middle, as a kill does: the transaction under way is rolled back."""


def first_told(told: list[int]) -> int:
    """The entries that a rebuild began with, or the first batch where it had none."""
    return next(entries for entries in told if entries)


@pytest.fixture
def short_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "BATCH_ENTRIES", BATCH)


async def interrupted(settings: Settings, connection: Connection, consumer: Consumer) -> int:
    """Kill a rebuild after its first batch; returns the position that is stored beside its rows."""

    def kill(entries: int) -> None:
        if entries:
            raise Killed

    with pytest.raises(Killed):
        await rebuild(settings, consumer, SWAP, kill)
    stored: int = await connection.fetchval(f"SELECT position FROM rebuild_{consumer.schema}_next.rebuild_progress")
    return stored


async def test_a_comparison_goes_on_with_an_interrupted_swap_and_of_another_version_or_log_it_begins_again(
    settings: Settings, live: Connection, short_batches: None
) -> None:
    stored = await interrupted(settings, live, PROJECTIONS)
    compared = await rebuild(settings, PROJECTIONS)
    assert (compared.ok, compared.folded_from) == (True, stored)
    assert await scratch_schemas(live) == 0
    async with connected(settings, "test") as other:
        await other.execute("SELECT pg_advisory_lock(7370002, hashtext('projections'))")
        with pytest.raises(AlreadyRunning, match="projections"):
            await rebuild(settings, PROJECTIONS)
    other_entry = "leaf = sha256('another entry')"
    for change in ("number = number - 1", "sha256 = ''", "position = position - 1", other_entry, "position = 1000000"):
        await interrupted(settings, live, PROJECTIONS)
        await live.execute(f"UPDATE rebuild_projections_next.rebuild_progress SET {change}")
        told: list[int] = []
        assert (await rebuild(settings, PROJECTIONS, SWAP, told.append)).ok
        assert first_told(told) == BATCH, "the first batch"
        assert sum(told) == await live.fetchval("SELECT position FROM platform.position")


async def test_statements_that_sessions_have_prepared_mean_the_new_tables_after_a_swap(
    settings: Settings, live: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also in a transaction of the consumer that waited for the swap."""
    rows = await live.fetchval("SELECT count(*) FROM projections.certificate")
    await live.execute("DELETE FROM projections.certificate; SET search_path = projections")
    by_name = await live.prepare("SELECT count(*) FROM certificate")
    async with connected(settings, "reader") as reader:
        qualified = await reader.prepare("SELECT count(*) FROM projections.certificate")
        assert [await by_name.fetchval(), await qualified.fetchval()] == [0, 0]
        exchange = module._exchange
        moves: list[asyncio.Task[str]] = []

        async def while_the_consumer_waits(scratch: LastingScratch, names: str) -> bool:
            await transaction.start()
            moves.append(asyncio.create_task(live.execute("UPDATE platform.position SET halted_reason = NULL")))
            await until(lambda: scratch.connection.fetchval(HOLDS_ANOTHER_UP), "the consumer waits for its position")
            return await exchange(scratch, names)

        transaction = live.transaction()
        monkeypatch.setattr(module, "_exchange", while_the_consumer_waits)
        assert (await rebuild(settings, PROJECTIONS, SWAP)).swapped
        await moves[0]
        assert [await by_name.fetchval(), await qualified.fetchval()] == [rows, rows]
        await transaction.commit()


async def test_rows_of_older_rules_are_not_compared_but_replaced_and_the_older_consumer_ends(
    settings: Settings, live: Connection, raw: list[bytes]
) -> None:
    """The documented upgrade: the new release's rebuild beside the live consumer of the old one."""
    earlier = FoldVersion(1, "earlier")
    await live.execute("UPDATE platform.position SET rules_version = $1, fold_sha256 = $2", *astuple(earlier))
    await live.execute("DROP TABLE projections.waiting_agency")
    with pytest.raises(OtherRules, match=r"version 1 .*this release is .*--swap"):
        await rebuild(settings, PROJECTIONS)
    assert await hash_read_models(live, [PROJECTIONS]) == [], "nobody commits to them"
    writer = Writer(replace(PROJECTIONS, version=earlier), live, 1)
    assert await writer.open()
    assert (await rebuild(settings, PROJECTIONS, RebuildOptions(compare=False, swap=True))).swapped
    with pytest.raises(Fenced):
        await writer.apply(Batch(writer.position, [parse_entry(writer.position, raw[-1])], None, 0))
    with pytest.raises(NewerRules):
        await writer.open()
    assert await Writer(PROJECTIONS, live, 2).open(), "the new release applies at once"
    assert await version(live) == PROJECTIONS.version
    assert (await rebuild(settings, PROJECTIONS)).ok
    await live.execute("UPDATE platform.position SET fold_sha256 = 'another'")
    with pytest.raises(OtherRules, match=r"version .* \(another\).*--swap"):
        await rebuild(settings, PROJECTIONS)
    await live.execute("UPDATE platform.position SET rules_version = rules_version + 1")
    with pytest.raises(OtherRules, match="use the newer release"):
        await rebuild(settings, PROJECTIONS, SWAP)


async def change_entry(connection: Connection, index: int, old: bytes, new: bytes, *, with_leaf: bool = False) -> None:
    """As a superuser could: the entry's bytes, and its leaf hash too if asked for."""
    row = await connection.fetchrow(
        "SELECT * FROM log.segment WHERE first_index <= $1 ORDER BY first_index DESC LIMIT 1",
        index,
    )
    assert row is not None
    entries, number = split_bundle(row["entries"]), index - row["first_index"]
    assert len(old) == len(new)
    assert old in entries[number]
    entries[number] = entries[number].replace(old, new)
    leaves = row["leaves"]
    if with_leaf:
        leaves = b"".join(map(leaf_hash, entries))
    await connection.execute("ALTER TABLE log.segment DISABLE TRIGGER append_only")
    change = "UPDATE log.segment SET entries = $2, leaves = $3 WHERE first_index = $1"
    await connection.execute(change, row["first_index"], bundle_of(entries), leaves)


async def test_a_changed_entry_is_named_and_tampering_suspected_and_with_its_leaf_the_signed_tree_finds_it(
    settings: Settings, live: Connection, raw: list[bytes], log: list[EntryDict]
) -> None:
    settings.log_folder.mkdir(parents=True, exist_ok=True)
    (settings.log_folder / "log.vkey").write_text(KEY.verifier.vkey)
    await write_tree(live, raw)
    await sign(live, raw, len(raw))
    certified = [e["index"] for e in log if e["event"]["type"].endswith("training.certified.v1")]
    date = b'"on":"20', b'"on":"2O'  # no fold can take it
    index = certified[0]
    first = index // 256 * 256
    await change_entry(live, index, *date, with_leaf=True)
    with pytest.raises(WrongTree, match=f"^one of the entries {first} to {first + 255} was changed together"):
        await rebuild(settings, PROJECTIONS)
    await change_entry(live, index, *reversed(date), with_leaf=True)
    # Each stands before the one that was changed earlier.
    for index, change in ((certified[-1], date), (certified[0], (b'{"recordedtime"', b'["recordedtime"'))):
        await change_entry(live, index, *change)
        with pytest.raises(ChangedEntry, match=f"^entry {index} of the log was changed .*: suspect tampering") as found:
            await rebuild(settings, PROJECTIONS)
        assert found.value.index == index
        with pytest.raises(ChangedEntry, match=f"^entry {index} "):
            await said_in_log(live)


async def test_a_rebuild_of_another_version_that_is_killed_begins_again_and_the_old_rows_stay_readable(
    settings: Settings, live: Connection, environment: Callable[..., dict[str, str]]
) -> None:
    """The log's segments are locked, so that the kill comes while the rows are being built."""
    before = await live.fetch("SELECT * FROM projections.service ORDER BY 1")
    await live.execute("UPDATE platform.position SET rules_version = rules_version - 1, fold_sha256 = ''")
    async with connected(settings, "blocker", batch=True) as blocker, blocker.transaction():
        await blocker.execute("LOCK TABLE log.segment")
        child = await asyncio.create_subprocess_exec(*subprocess_command("run", "projections"), env=environment())
        await until(lambda: scratch_schemas(live), "the rebuild has begun")
        child.kill()
        await child.wait()
        assert await live.fetch("SELECT * FROM projections.service ORDER BY 1") == before
        assert await version(live) != PROJECTIONS.version
    assert await scratch_schemas(live) == 1, "left behind"
    async with running(Pipeline(PROJECTIONS, settings)):
        current = "SELECT (rules_version, fold_sha256) = ($1, $2) FROM platform.position"
        await until(lambda: live.fetchval(current, *astuple(PROJECTIONS.version)), "the rows are of this version")
    assert await live.fetch("SELECT * FROM projections.service ORDER BY 1") == before
    assert await scratch_schemas(live) == 0


async def test_the_command_shows_hashes_of_rfc_8785_lines_by_primary_key_and_exits_non_zero_on_a_difference(
    settings: Settings, live: Connection
) -> None:
    strange = '\u0001\b\t\n\f\r"\\/\u007f\u2028ق\U0001f600'
    code, same = await yesser_json(settings, "rebuild", "projections", "--compare")
    assert (code, same["ok"], same["first_difference"]) == (0, True, None)
    assert {"consumer", "name", "rows", "sha256", "ok"} <= set(same["read_models"][0])
    shown = {model["name"]: model["sha256"] for model in same["read_models"]}
    transaction = live.transaction()
    await transaction.start()
    await live.execute("UPDATE projections.certificate SET trainee = $1 || trainee", strange)
    await live.execute("SET LOCAL search_path = projections")
    for table in PROJECTIONS.tables:
        records = await live.fetch(f"SELECT {', '.join(table.columns)} FROM {table.name}")
        rows = sorted((dict(record) for record in records), key=lambda row: tuple(row[k] for k in table.key))
        digest = sha256(b"".join(rfc8785.dumps(row) + b"\n" for row in rows)).hexdigest()
        found = await table_hash(live, table)
        assert (found.rows, found.sha256) == (len(rows), digest), table.name
        assert (shown[table.name] == digest) is (table.name != "certificate")
    await transaction.rollback()
    await live.execute("DELETE FROM projections.plan")
    code, other = await yesser_json(settings, "rebuild", "projections", "--compare")
    assert (code, other["ok"]) == (1, False)
    assert other["first_difference"]["read_model"] == "plan"
    assert other["first_difference"]["live"] is None
    assert other["first_difference"]["event"]["type"] == "sa.gov.yesser.plan.adopted.v1"
