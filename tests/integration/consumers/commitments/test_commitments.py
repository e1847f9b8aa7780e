"""Commitments: what the log says of the read models is what the log gives, and a row that was changed is found."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from click.testing import CliRunner

from consumers.commitments import commitment
from consumers.commitments.commands import commit
from consumers.commitments.commitment import LogGrowth, hash_read_models, log_growth
from consumers.commitments.scheduler import CommitmentScheduler
from consumers.fold.table_hash import TableHash
from consumers.operations.audit_command import audit
from consumers.projections.consumer import CONSUMER as PROJECTIONS
from consumers.rebuild.rebuild import RebuildOptions, Rebuilt, rebuild
from consumers.rebuild.table_hash import table_hash
from consumers.registry import CONSUMERS
from events.errors import Fenced
from events.wire.entry import entry_bytes, parse_entry, recorded_time
from infra.log.key_history import sign_transition
from infra.log.signed_note import LogKey
from infra.postgres.connection import TRANSIENT_ERRORS, Connection, connect
from infra.postgres.unit_of_work import Table
from infra.process import lease
from infra.process.leader_election import Term
from infra.settings import Settings
from tests.integration.consumers.pipeline.written_log import apply_live, raw_entries, write_log
from tests.integration.consumers.registrar.registering import until
from tests.oracle.history import MIXED, entries_from, generate

RECORDED = "2026-11-25T08:00:00.000000Z"
ENTRIES_MIN = 100


@pytest.fixture(scope="module")
def raw() -> list[bytes]:
    return raw_entries(entries_from(generate(51, 400, MIXED)))


@pytest.fixture
async def live(connection: Connection, raw: list[bytes]) -> Connection:
    """The log is written, and every consumer has applied it."""
    await write_log(connection, raw)
    for consumer in CONSUMERS.values():
        await apply_live(connection, consumer, raw)
    return connection


async def register_outbox(connection: Connection, raw: Sequence[bytes]) -> list[bytes]:
    """The log with what the outbox held, as the registrar would have added it, applied by everyone."""
    rows = await connection.fetch("DELETE FROM platform.outbox RETURNING row_id, value")
    added = [entry_bytes(RECORDED, f"agency.platform.events/0/{number}", value) for number, value in sorted(rows)]
    grown = [*raw, *added]
    await connection.execute("ALTER TABLE log.segment DISABLE TRIGGER append_only")
    await connection.execute("TRUNCATE log.segment")
    await write_log(connection, grown)
    for consumer in CONSUMERS.values():
        await apply_live(connection, consumer, grown)
    return grown


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a command with `--json` in a thread of its own; its exit code and document."""
    assert settings.postgres is not None
    monkeypatch.setenv("YESSER_POSTGRES", settings.postgres)
    monkeypatch.setenv("YESSER_HOME", str(settings.home))

    async def invoke(command: Any, *arguments: str) -> tuple[int, dict[str, Any]]:
        result = await asyncio.to_thread(CliRunner().invoke, command, [*arguments, "--json"], catch_exceptions=False)
        return result.exit_code, orjson.loads(result.stdout)

    return invoke


async def test_what_is_committed_is_what_a_rebuild_gives_at_that_index(
    settings: Settings, live: Connection, raw: list[bytes], run: Any
) -> None:
    code, said = await run(commit)
    assert code == 0
    told = {row["name"]: row for row in said["commitments"]}
    for name, consumer in CONSUMERS.items():
        rebuilt = await rebuild(settings, consumer)
        for model in rebuilt.read_models[: len(consumer.tables)]:
            committed = told.pop(f"{name}.{model.name}")
            assert committed["log_index"] == rebuilt.log_index == len(raw)
            assert (committed["rows"], committed["sha256"]) == (model.rows, model.sha256)
    assert not told


async def test_commitments_in_the_log_are_checked_against_the_log_alone(
    live: Connection, raw: list[bytes], run: Any
) -> None:
    _, said = await run(commit)
    grown = await register_outbox(live, raw)
    _, again = await run(commit)
    await register_outbox(live, grown)
    code, checked = await run(audit, "commitments")
    assert (code, checked["ok"]) == (0, True)
    names = ("name", "log_index", "rows", "sha256")
    found = [{name: row[name] for name in names} for row in checked["commitments"]]
    assert found == said["commitments"] + again["commitments"]
    assert again["commitments"][0]["log_index"] == len(grown)
    _, newest = await run(audit, "commitments", "--last", "1")
    assert [row["index"] for row in newest["commitments"]] == list(range(len(grown), len(grown) + len(found) // 2))


async def test_a_row_that_was_changed_before_the_commitment_is_found(
    live: Connection, raw: list[bytes], run: Any
) -> None:
    first = "SELECT min(certificate_id) FROM projections.certificate"
    await live.execute(f"UPDATE projections.certificate SET trainee = 'trn_x' WHERE certificate_id = ({first})")
    await run(commit)
    await register_outbox(live, raw)
    code, checked = await run(audit, "commitments")
    assert code == 1
    wrong = [row for row in checked["commitments"] if not row["ok"]]
    assert [row["name"] for row in wrong] == ["projections.certificate"]
    assert wrong[0]["found"]["rows"] == wrong[0]["rows"]
    assert wrong[0]["found"]["sha256"] != wrong[0]["sha256"]


async def test_committing_twice_at_one_index_says_the_same_event(live: Connection, run: Any) -> None:
    await run(commit)
    await run(commit)
    counted = await live.fetch("SELECT event_id, count(*), count(DISTINCT value) FROM platform.outbox GROUP BY 1")
    assert {(row[1], row[2]) for row in counted} == {(2, 1)}


async def test_the_relay_commits_once_when_the_log_has_grown_and_commitments_do_not_count(
    settings: Settings, live: Connection, raw: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commitment, "ENTRIES_MIN", ENTRIES_MIN)
    assert len(raw) > ENTRIES_MIN
    assert (await log_growth(live)).due
    epoch = await lease.claim(live, "relay", "test", settings)
    assert epoch is not None
    scheduler = CommitmentScheduler(settings, Term(epoch, asyncio.Event()))
    assert await scheduler.look(live)
    grown = await register_outbox(live, raw)
    assert len(grown) == len(raw) + sum(len(consumer.tables) for consumer in CONSUMERS.values())
    found = await log_growth(live)
    assert (found.entries_count, found.committed_count) == (len(raw), len(raw))
    assert not (await log_growth(live)).due


def test_a_commitment_is_due_when_the_log_has_grown_by_a_tenth_and_by_ten_thousand_entries() -> None:
    assert not LogGrowth(9_999, 0).due
    assert LogGrowth(10_000, 0).due
    assert not LogGrowth(19_999, 10_000).due
    assert not LogGrowth(549_999, 500_000).due
    assert LogGrowth(550_000, 500_000).due


async def test_a_rotation_of_the_logs_key_is_committed_at_once_and_its_history_is_checked(
    settings: Settings, live: Connection, raw: list[bytes], run: Any
) -> None:
    await run(commit)
    grown = await register_outbox(live, raw)
    assert not (await log_growth(live)).due
    old, new = (LogKey("log.example/0", bytes([number]) * 32) for number in range(2))
    step = sign_transition(old, new, datetime.now(UTC), (len(raw), bytes(32)))
    add = "INSERT INTO log.key_history (number, size, note) VALUES (1, $1, $2)"
    await live.execute(add, step.size, step.note)
    assert (await log_growth(live)).due
    epoch = await lease.claim(live, "relay", "test", settings)
    assert epoch is not None
    scheduler = CommitmentScheduler(settings, Term(epoch, asyncio.Event()))
    assert await scheduler.look(live)
    assert not await scheduler.look(live)
    await register_outbox(live, grown)
    code, checked = await run(audit, "commitments")
    row = checked["commitments"][-1]
    assert (code, row["name"], row["log_index"], row["rows"]) == (0, "log-keys", len(grown), 1)
    await live.execute("ALTER TABLE log.key_history DISABLE TRIGGER append_only")
    await live.execute("UPDATE log.key_history SET note = note || ' '")
    code, checked = await run(audit, "commitments")
    assert (code, [row["name"] for row in checked["commitments"] if not row["ok"]]) == (1, ["log-keys"])


def test_a_commitment_is_due_after_a_day_in_which_the_log_has_grown() -> None:
    assert LogGrowth(501, 500, timedelta(days=1)).due
    assert LogGrowth(1_009_900, 1_000_000, timedelta(days=1)).due
    assert not LogGrowth(1_009_899, 1_000_000, timedelta(days=9)).due, "too little of such a log"
    assert not LogGrowth(501, 500, timedelta(hours=23, minutes=59)).due
    assert not LogGrowth(500, 500, timedelta(days=9)).due, "it has not grown"


def rows_hashed_per_entry(first: int, per_day: int) -> float:
    """Entries' rows that are hashed for each new entry, while a log of `first` entries doubles at a steady rate."""
    committed, since, hashed, step = first, timedelta(), 0, max(1, first // 20_000)
    for size in range(first + step, 2 * first, step):
        since += timedelta(days=1) * step / per_day
        if LogGrowth(size, committed, since).due:
            committed, since, hashed = size, timedelta(), hashed + size
    return hashed / first


@pytest.mark.parametrize("per_day", [100, 10_000, 1_000_000])
def test_what_an_entry_costs_does_not_grow_with_the_log(per_day: int) -> None:
    for first in (1_000_000, 100_000_000):
        assert 0 < rows_hashed_per_entry(first, per_day) <= 1.05 * commitment.DAILY_DIVISOR, first


async def test_the_day_is_counted_by_the_recorded_times_of_the_log(
    settings: Settings, live: Connection, raw: list[bytes], run: Any
) -> None:
    """The entries of this log were recorded in 2026, one a second; the commitments at the time of `RECORDED`."""
    await live.execute("UPDATE log.state SET recorded = $1", parse_entry(len(raw) - 1, raw[-1]).recorded)
    before = await log_growth(live)
    first, last = (datetime.fromisoformat(parse_entry(0, entry).recorded) for entry in (raw[0], raw[-1]))
    assert before.since == last - first
    await run(commit)
    await register_outbox(live, raw)
    next_day = datetime.fromisoformat(RECORDED) + timedelta(days=1)
    await live.execute("UPDATE log.state SET recorded = $1", recorded_time(next_day))
    assert not (await log_growth(live)).due, "nothing but commitments was added"
    await live.execute("UPDATE platform.commitment SET entries_count = entries_count - 1")
    assert (await log_growth(live)).since >= timedelta(days=1)
    assert (await log_growth(live)).due


async def test_a_relay_that_was_superseded_commits_nothing(
    settings: Settings, live: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commitment, "ENTRIES_MIN", ENTRIES_MIN)
    epoch = await lease.claim(live, "relay", "first", settings)
    assert epoch is not None
    await lease.release(live, "relay", epoch)
    await lease.claim(live, "relay", "second", settings)
    assert not await CommitmentScheduler(settings, Term(epoch, asyncio.Event())).look(live)
    assert await live.fetchval("SELECT count(*) FROM platform.outbox") == 0


async def test_the_connection_of_a_relay_that_lost_its_lease_is_cut(settings: Settings, live: Connection) -> None:
    term = Term(1, asyncio.Event())
    committing = asyncio.create_task(CommitmentScheduler(settings, term).run())

    async def connections() -> int:
        found: int = await live.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'yesser commitments'"
            " AND datname = current_database()"
        )
        return found

    async def connected() -> bool:
        return await connections() == 1

    await until(connected, "it has a connection")
    lost = asyncio.get_running_loop().create_future()
    lost.set_exception(Fenced("the lease is lost"))
    term.end_with(lost)
    async with asyncio.timeout(10):
        with pytest.raises(TRANSIENT_ERRORS):
            await committing
    assert isinstance(lost.exception(), Fenced)


async def test_a_rebuild_cannot_be_swapped_in_while_the_tables_are_hashed(
    settings: Settings, live: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tables put in the place of the old ones after the snapshot would show it no rows."""
    before = await hash_read_models(live, [PROJECTIONS])
    reader = await connect(settings, "test", batch=True)
    swaps: list[asyncio.Task[Rebuilt]] = []

    async def done_or_waiting() -> bool:
        return swaps[0].done() or bool(await live.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"))

    async def hash_after_a_swap_began(connection: Connection, table: Table[Any]) -> TableHash:
        if not swaps:
            swaps.append(asyncio.create_task(rebuild(settings, PROJECTIONS, RebuildOptions(swap=True))))
            await until(done_or_waiting, "the swap neither ended nor waited")
        return await table_hash(connection, table)

    monkeypatch.setattr(commitment, "table_hash", hash_after_a_swap_began)
    try:
        assert await hash_read_models(reader, [PROJECTIONS]) == before
        assert (await swaps[0]).swapped
        assert await hash_read_models(reader, [PROJECTIONS]) == before
    finally:
        await reader.close()
