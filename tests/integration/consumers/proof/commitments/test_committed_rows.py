"""A rebuild may begin with the rows that the log commits to: those of the live tables as they were, hashed again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from consumers.models.registry import CONSUMERS
from consumers.programme.projections.consumer import CONSUMER as PROJECTIONS
from consumers.proof.commitments.check import event_of
from consumers.proof.commitments.claims import said_among, sorted_out
from consumers.proof.commitments.committed_rows import NoCommittedRows, NotCommitted, copy_committed
from consumers.replay.event_index.consumer import CONSUMER as EVENT_INDEX
from consumers.replay.fold import past_rows
from consumers.replay.rebuild.lasting_scratch import LastingScratch
from consumers.replay.rebuild.rebuild import become_owner
from events.wire.entry import entry_bytes
from infra.postgres.connection import Connection, connected
from infra.postgres.outbox import event_bytes
from infra.settings import Settings
from tests.every import every
from tests.oracle.history import MIXED
from tests.world.commands import yesser, yesser_json
from tests.world.logs import apply_everywhere, apply_live, history_bytes, sign, with_commitments, write_log, write_tree
from tests.world.memory_log import KEY
from tests.world.records import RECORDED

BLOCK_ENTRIES = 64
COMMITTED = 700
"""Entries before the commitments."""
BLOCK = COMMITTED // BLOCK_ENTRIES * BLOCK_ENTRIES


@pytest.fixture
async def log(settings: Settings, connection: Connection, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """A log with commitments in its middle, not signed. Its last entry, which no consumer has applied, acknowledges
    that one of them is wrong."""
    monkeypatch.setattr(past_rows, "BLOCK_ENTRIES", BLOCK_ENTRIES)
    settings.log_folder.mkdir(parents=True, exist_ok=True)
    (settings.log_folder / "log.vkey").write_text(KEY.verifier.vkey)
    history = history_bytes(44, 1_000, MIXED)
    before = history[:COMMITTED]
    await write_log(connection, before)
    await apply_everywhere(connection, before)
    committed = await with_commitments(connection, before)
    said, _ = sorted_out(said_among(COMMITTED, committed[COMMITTED:]))
    claim = next(claim for claim in said if claim.name == "projections.certificate")
    wrong = event_bytes(event_of(claim, {"ar": "سبب", "en": "A reason"}, datetime(2027, 11, 26, tzinfo=UTC)))
    raw = [*committed, *history[COMMITTED:], entry_bytes(RECORDED, "agency.platform.events/0/99", wrong)]
    await write_log(connection, raw, COMMITTED)
    await write_tree(connection, raw)
    await apply_everywhere(connection, raw[:-1])
    return raw


@every("name", sorted(CONSUMERS))
async def test_the_rebuilt_rows_are_those_of_a_whole_rebuild_what_they_were_included(
    settings: Settings, connection: Connection, log: list[bytes], name: str
) -> None:
    if await connection.fetchval("SELECT count(*) = 0 FROM log.checkpoint"):
        await sign(connection, log, len(log))
    _, whole = await yesser_json(settings, "rebuild", name)
    code, report = await yesser_json(settings, "rebuild", name, "--from-commitment", "--compare", "--swap")
    assert (code, report["copied"], report["folded_from"]) == (0, {name: BLOCK}, {name: BLOCK})
    assert report["read_models"] == whole["read_models"]
    assert await yesser_json(settings, "rebuild", name) == (0, whole), "the copied rows are live"


async def test_rows_that_were_changed_are_not_begun_with_and_a_whole_rebuild_begins_anew(
    settings: Settings, connection: Connection, log: list[bytes]
) -> None:
    await sign(connection, log, len(log))
    shown = await yesser(settings, "rebuild", "projections", "--from-commitment", "--lang", "en")
    assert f"projections: the rows of the first {BLOCK:,} log entries were copied, not rebuilt" in shown.stdout
    change = "UPDATE projections.certificate SET trainee = trainee || 'x' WHERE first_index = ({})"
    await connection.execute(change.format("SELECT max(first_index) FROM projections.certificate"))
    code, report = await yesser_json(settings, "rebuild", "projections", "--from-commitment")
    differing = [model["name"] for model in report["read_models"] if not model["ok"]]
    assert (code, differing) == (1, ["certificate"]), "what follows the commitment is folded"
    await connection.execute(change.format("SELECT min(first_index) FROM projections.certificate"))
    result = await yesser(settings, "rebuild", "projections", "--from-commitment")
    assert isinstance(result.exception, NotCommitted)
    assert str(result.exception).startswith(f"projections.certificate after {BLOCK} entries")
    code, report = await yesser_json(settings, "rebuild", "projections", "--swap")
    assert (code, report["copied"], report["folded_from"]) == (0, {}, {})
    assert (await yesser_json(settings, "rebuild", "projections"))[0] == 0


async def test_only_signed_commitments_that_are_not_known_to_be_wrong_count_and_copies_are_used_where_asked_for(
    settings: Settings, connection: Connection, log: list[bytes]
) -> None:
    operator = settings.acting_as("operator")
    async with connected(operator, "rebuild", batch=True) as session:
        await become_owner(session, PROJECTIONS)
        await sign(connection, log, COMMITTED)
        scratch = LastingScratch(session, PROJECTIONS)
        await scratch.open(len(log), may_copy=True)
        with pytest.raises(NoCommittedRows, match="is not signed yet"):
            await copy_committed(scratch, operator)
        await sign(connection, log, len(log))
        await copy_committed(scratch, operator)
        assert (scratch.position, scratch.copied) == (BLOCK, BLOCK)
        for may_copy, position in ((True, BLOCK), (False, 0), (True, 0)):
            later = LastingScratch(session, PROJECTIONS)
            await later.open(len(log), may_copy=may_copy)
            assert (later.position, later.copied) == (position, position)
        await apply_live(connection, EVENT_INDEX, log)
        await later.open(len(log))
        with pytest.raises(NoCommittedRows, match="is known to be wrong"):
            await copy_committed(later, operator)
    await connection.execute("UPDATE platform.position SET fold_sha256 = 'another' WHERE consumer = 'projections'")
    result = await yesser(settings, "rebuild", "projections", "--from-commitment", "--swap")
    assert isinstance(result.exception, NoCommittedRows)
