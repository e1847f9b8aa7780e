"""Commitments: what the log says of the read models is what the log gives, and a row that was changed is found."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from consumers.documents.log.commitments import Status
from consumers.models.registry import CONSUMERS
from consumers.programme.projections.consumer import CONSUMER as PROJECTIONS
from consumers.proof.commitments import commitment
from consumers.proof.commitments.check import NoCommitment, check, newest_in_log
from consumers.proof.commitments.chunks import RowsAt
from consumers.proof.commitments.commitment import LOG_KEYS, CommitmentScheduler, growths, hash_read_models, keys_growth
from consumers.replay.as_of.past_state import Base
from consumers.replay.rebuild.rebuild import RebuildOptions, Rebuilt, rebuild
from events.errors import Fenced
from events.wire.entry import entry_bytes, parse_entry
from infra.log.key_history import sign_transition
from infra.log.signed_note import LogKey
from infra.postgres.connection import TRANSIENT_ERRORS, Connection, connect
from infra.postgres.outbox_table import NotAnnounced
from infra.postgres.trail import Actor, add_to_trail
from infra.process.leader_election import Term
from infra.settings import Settings
from tests.integration.consumers.proof.commitments.committing import (
    grow,
    lose_what_was_committed,
    register_outbox,
    scheduler_of,
    status_in_database,
)
from tests.paths import ROOT
from tests.world.records import RECORDED
from tests.world.waits import until

ENTRIES_MIN = 100


def refusal(topic: str) -> bytes:
    """The entry of a record of this topic that was refused."""
    example = orjson.loads((ROOT / "events/examples/v1/registrar.refused.json").read_bytes())
    example["data"]["address"] = f"{topic}/0/9"
    return entry_bytes(RECORDED, f"{topic}/0/9", orjson.dumps(example))


COUNT = "SELECT count(*) FROM platform.outbox"
A_DAY_AGO = "UPDATE platform.committed SET committed_at = now() - interval '1 day'"


async def test_what_is_committed_is_what_a_rebuild_and_the_log_give_and_no_index_is_committed_twice(
    settings: Settings, live: Connection, raw: list[bytes], run: Any
) -> None:
    _, said = await run("commit")
    told = {row["name"]: row for row in said["commitments"]}
    for name, consumer in CONSUMERS.items():
        rebuilt = await rebuild(settings, consumer)
        for model in rebuilt.read_models[: len(consumer.tables)]:
            committed = told.pop(f"{name}.{model.name}")
            assert committed["log_index"] == rebuilt.log_index == len(raw)
            assert (committed["rows"], committed["sha256"]) == (model.rows, model.sha256)
    assert not told
    assert await run("commit") == (0, {"commitments": []})
    assert await live.fetchval(COUNT) == len(said["commitments"])

    grown = await register_outbox(live, raw)
    _, again = await run("commit")
    assert again["commitments"][0]["log_index"] == len(grown)
    whole = await register_outbox(live, grown)
    code, checked = await run("audit", "commitments")
    assert (code, checked["ok"]) == (0, True)
    names = ("name", "log_index", "rows", "sha256", "fold_version")
    found = [{name: row[name] for name in names} for row in checked["commitments"]]
    assert found == said["commitments"] + again["commitments"]
    _, newest = await run("audit", "commitments", "--last", "1")
    assert [row["index"] for row in newest["commitments"]] == list(range(len(grown), len(whole)))

    await add_to_trail(live, "keys rotate", by=Actor(operator="night desk"))
    assert (await run("commit"))[1]["commitments"][-1]["name"] == "trail"
    await lose_what_was_committed(live)
    assert await run("commit") == (0, {"commitments": []}), "after a restore the log has them"
    assert await live.fetchval(COUNT) == 0


async def test_the_relay_commits_once_what_has_grown_and_the_rotations_of_the_logs_key_at_once(
    settings: Settings, live: Connection, raw: list[bytes], run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commitment, "ENTRIES_MIN", ENTRIES_MIN)
    assert len(raw) > ENTRIES_MIN
    assert await due(live) == set(CONSUMERS)
    superseded = await scheduler_of(settings, live)
    scheduler = await scheduler_of(settings, live)
    assert not await superseded.look(live)
    assert await live.fetchval(COUNT) == 0
    assert await scheduler.look(live)
    await run("commit")
    assert not await scheduler.look(live), "a command has committed meanwhile"
    grown = await register_outbox(live, raw)
    assert len(grown) == len(raw) + sum(len(consumer.tables) for consumer in CONSUMERS.values())
    found = await growths(live)
    own = await live.fetchval("SELECT count FROM projections.refusals WHERE agency = 'platform'") or 0
    assert {(one.entries_count, one.committed_count) for one in found.values()} == {(len(raw) - own, len(raw) - own)}
    assert not await due(live), "commitments are no growth"

    assert await keys_due(live) is False
    old, new = (LogKey("log.example/0", bytes([number]) * 32) for number in range(2))
    step = sign_transition(old, new, datetime.now(UTC), (len(raw), bytes(32)))
    add = "INSERT INTO log.key_history (number, size, note) VALUES (1, $1, $2)"
    await live.execute(add, step.size, step.note)
    assert await keys_due(live) is True
    scheduler = await scheduler_of(settings, live)
    assert await scheduler.look(live)
    assert not await scheduler.look(live)
    await register_outbox(live, grown)
    code, checked = await run("audit", "commitments")
    row = checked["commitments"][-1]
    assert (code, row["name"], row["log_index"], row["rows"]) == (0, "log-keys", len(grown), 1)
    await live.execute("ALTER TABLE log.key_history DISABLE TRIGGER append_only")
    await live.execute("UPDATE log.key_history SET note = note || ' '")
    assert await status_in_database(live, LOG_KEYS) is Status.WRONG


async def due(connection: Connection) -> set[str]:
    return {name for name, one in (await growths(connection)).items() if one.due}


async def keys_due(connection: Connection) -> bool:
    keys = await keys_growth(connection)
    return keys.entries_count > keys.committed_count


async def test_what_has_grown_by_one_entry_is_committed_after_a_day(
    settings: Settings, live: Connection, raw: list[bytes], run: Any
) -> None:
    """The day is that of PostgreSQL's clock: the recorded time of a log that stands does not grow."""
    assert not await due(live)
    await live.execute(A_DAY_AGO)
    assert await due(live) == set(CONSUMERS), "the first day begins with the migration"
    scheduler = await scheduler_of(settings, live)
    for _ in CONSUMERS:
        assert await scheduler.look(live), "the first commitment does not postpone those of others"
    assert not await due(live)
    grown = await register_outbox(live, raw)
    await live.execute(A_DAY_AGO)
    assert not await due(live), "nothing but commitments was added"
    assert parse_entry(0, refusal("agency.platform.events")).type == "registrar.refused"
    grown = await grow(live, grown, refusal("agency.platform.events"))
    assert not await due(live), "nothing but a refusal of the platform's own event was added"
    await grow(live, grown, refusal("agency.health.events"))
    assert await due(live) == set(CONSUMERS)
    await run("commit")
    await live.execute("UPDATE platform.committed SET fold_version = '1-ffffffffffff' WHERE consumer = 'campaigns'")
    assert not await due(live)
    await live.execute(A_DAY_AGO)
    assert await due(live) == {"campaigns"}, "of another version of its rows nothing is committed"


async def test_the_connection_of_a_relay_that_lost_its_lease_is_cut(settings: Settings, connection: Connection) -> None:
    term = Term(1, asyncio.Event())
    committing = asyncio.create_task(CommitmentScheduler(settings, term).run())
    one = (
        "SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'yesser commitments'"
        " AND datname = current_database()"
    )
    await until(lambda: connection.fetchval(one), "it has a connection")
    lost = asyncio.get_running_loop().create_future()
    lost.set_exception(Fenced("the lease is lost"))
    term.end_with(lost)
    async with asyncio.timeout(10):
        with pytest.raises(TRANSIENT_ERRORS):
            await committing
    assert isinstance(lost.exception(), Fenced)


async def test_a_connection_that_is_cut_within_a_query_is_an_error_of_the_connection(settings: Settings) -> None:
    async def failing(*, is_cut: bool) -> None:
        async with Term(1, asyncio.Event()).connected(settings, "test") as own:
            if is_cut:
                own.terminate()
            raise AttributeError("'NoneType' object has no attribute 'bind_execute'")  # asyncpg's error, or a bug

    with pytest.raises(TRANSIENT_ERRORS):
        await failing(is_cut=True)
    with pytest.raises(AttributeError):
        await failing(is_cut=False)


async def test_no_rebuild_is_swapped_in_while_tables_are_hashed_and_a_check_that_is_killed_leaves_none(
    settings: Settings, live: Connection, raw: list[bytes], run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tables put in the place of the old ones after the snapshot would show it no rows."""
    before = await hash_read_models(live, [PROJECTIONS])
    reader = await connect(settings, "test", batch=True)
    swaps: list[asyncio.Task[Rebuilt]] = []

    async def done_or_waiting() -> bool:
        return swaps[0].done() or bool(await live.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"))

    async def read_after_a_swap_began(rows: RowsAt, connection: Connection) -> Base:
        if not swaps:
            swaps.append(asyncio.create_task(rebuild(settings, PROJECTIONS, RebuildOptions(swap=True))))
            await until(done_or_waiting, "the swap neither ended nor waited")
        return await base(rows, connection)

    base = RowsAt._base
    monkeypatch.setattr(RowsAt, "_base", read_after_a_swap_began)
    try:
        assert await hash_read_models(reader, [PROJECTIONS]) == before
        assert (await swaps[0]).swapped
        assert await hash_read_models(reader, [PROJECTIONS]) == before
    finally:
        await reader.close()

    await run("commit")
    await register_outbox(live, raw)
    schemas = "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_t' ORDER BY 1"
    there = await live.fetch(schemas)

    async def killed(*_: Any) -> None:
        backends = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'yesser commitments'"
        )
        assert await live.fetch(backends)

    monkeypatch.setattr("consumers.proof.commitments.check.replay", killed)
    with pytest.raises(TRANSIENT_ERRORS):
        await check(settings, await newest_in_log(live))
    assert await live.fetch(schemas) == there
    left = "SELECT count(*) = 0 FROM pg_class WHERE relnamespace::regnamespace::text ~ '^pg_temp' AND relkind = 'r'"
    await until(lambda: live.fetchval(left), "the tables of the check are gone")


async def test_a_row_changed_before_a_commitment_is_acknowledged(live: Connection, raw: list[bytes], run: Any) -> None:
    """The row was changed, committed, found, and repaired: what the log says of it stays wrong."""
    first = "SELECT min(certificate_id) FROM projections.certificate"
    change = f"UPDATE projections.certificate SET trainee = $1 WHERE certificate_id = ({first}) RETURNING trainee"
    before = await live.fetchval(f"SELECT trainee FROM projections.certificate WHERE certificate_id = ({first})")
    await live.execute(change, "trn_x")
    await run("commit")
    await live.execute(change, before)
    grown = await register_outbox(live, raw)
    code, checked = await run("audit", "commitments")
    (wrong,) = [row for row in checked["commitments"] if not row["ok"]]
    assert (code, wrong["name"], wrong["status"]) == (1, "projections.certificate", "wrong")
    assert wrong["found"]["rows"] == wrong["rows"]
    assert wrong["found"]["sha256"] != wrong["sha256"]
    reason = ("--reason-ar", "أُصلح الجدول", "--reason-en", "the table was repaired")
    with pytest.raises(NoCommitment, match="Entry 3"):
        await run("audit", "acknowledge", "3", *reason)
    with pytest.raises(NotAnnounced, match="personal-data"):
        await run("audit", "acknowledge", str(wrong["index"]), "--reason-ar", "1000000008", "--reason-en", "x")
    assert await live.fetchval(COUNT) == 0
    assert (await run("audit", "acknowledge", str(wrong["index"]), *reason))[0] == 0
    grown = await register_outbox(live, grown)
    code, checked = await run("audit", "commitments")
    (found,) = [row for row in checked["commitments"] if row["status"] != "matches"]
    operator = await live.fetchval("SELECT operator FROM platform.trail WHERE command LIKE 'audit acknowledge %'")
    assert (code, checked["ok"], found["status"]) == (0, True, "acknowledged")
    assert found["acknowledgement"] == {
        "index": len(grown) - 1,
        "by": operator,
        "reason": {"ar": "أُصلح الجدول", "en": "the table was repaired"},
    }
    assert parse_entry(len(grown) - 1, grown[-1]).type == "projection.commitment-acknowledged"
