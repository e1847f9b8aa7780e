"""A rebuild that was killed goes on where it was, in the rows that it has left; and one may read a mirror's entries."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil
import pytest

from consumers.programme.projections.consumer import CONSUMER
from consumers.proof.audit.mirror import write_mirror
from consumers.proof.commands.rebuild_ranges import NoMirror
from consumers.replay.event_index.consumer import CONSUMER as EVENT_INDEX
from consumers.replay.rebuild.lasting_scratch import LastingScratch, RangeScratch
from events.errors import Fenced
from events.wire.entry import parse_entry
from infra.log.bundle import split_bundle
from infra.log.layout import tile_path
from infra.log.ports.files import ChangedFiles, OtherLog
from infra.log.ports.port import NotThere
from infra.log.reader import ChangedEntry
from infra.postgres.connection import Connection, connected
from infra.process.subprocess_command import subprocess_command
from infra.settings import Settings
from tests.every import every
from tests.oracle.history import MIXED, entries_from, generate
from tests.world.commands import yesser, yesser_json
from tests.world.logs import apply_live, bundle_of, raw_entries, sign, write_log, write_tree
from tests.world.memory_log import KEY, MemoryLog
from tests.world.waits import until

MIRRORED = 1_600
"""Entries of the mirror: the last bundle is not full, and the log goes on."""
STARTED_S = 120.0
RANGE = 200
"""Entries that one of several processes folds."""
PROGRESS = "rebuild_projections_next.rebuild_progress"


@pytest.fixture(scope="module")
def raw() -> list[bytes]:
    """More entries than a rebuild with a pace folds between two rests."""
    return raw_entries(entries_from(generate(32, 2_400, MIXED)))


@pytest.fixture
async def live(settings: Settings, connection: Connection, raw: list[bytes]) -> Connection:
    """A signed log, which the projections have applied."""
    settings.log_folder.mkdir(parents=True, exist_ok=True)
    (settings.log_folder / "log.vkey").write_text(KEY.verifier.vkey)
    await write_log(connection, raw)
    await write_tree(connection, raw)
    await sign(connection, raw, len(raw))
    await apply_live(connection, CONSUMER, raw)
    return connection


async def killed(
    connection: Connection,
    environment: dict[str, str],
    command: Sequence[str] = subprocess_command("rebuild", "projections", "--pace", "5"),
    progress: str = PROGRESS,
) -> int:
    """Kill the command once a part of the log is folded; returns how much that is. Its own processes end too."""
    child = await asyncio.create_subprocess_exec(*command, env=environment)
    children: list[psutil.Process] = []

    async def folded() -> bool:
        if await connection.fetchval("SELECT to_regclass($1)", progress) is None:
            return False
        return bool(await connection.fetchval(f"SELECT position FROM {progress}"))

    try:
        await until(folded, "a part of the log is folded", STARTED_S)
        children = psutil.Process(child.pid).children(recursive=True)
    finally:
        child.kill()
        await child.wait()
    await until(lambda: not any(map(is_alive, children)), "its processes have ended")
    position: int = await connection.fetchval(f"SELECT position FROM {progress}")
    return position


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_a_rebuild_that_was_killed_goes_on_says_from_where_and_gives_the_hashes_of_a_whole_one(
    settings: Settings, live: Connection, raw: list[bytes], environment: Callable[..., dict[str, str]]
) -> None:
    _, whole = await yesser_json(settings, "rebuild", "projections")
    position = await killed(live, environment())
    assert 0 < position < len(raw)
    result = await yesser(settings, "rebuild", "projections", "--lang", "en")
    assert result.exit_code == 0
    assert f"projections: the rebuild goes on from entry {position:,}; --restart begins it again." in result.stderr
    assert await killed(live, environment()) == position
    code, resumed = await yesser_json(settings, "rebuild", "projections", "--swap")
    assert (code, resumed["folded_from"]) == (0, {"projections": position})
    assert resumed["read_models"] == [{**model, "differing_rows": None} for model in whole["read_models"]]
    await killed(live, environment())
    code, again = await yesser_json(settings, "rebuild", "projections", "--restart")
    assert (code, again) == (0, whole), "the swapped rows are the same, and nothing of the killed one was used"


async def mirrored(raw: list[bytes], folder: Path) -> Path:
    await write_mirror(MemoryLog(raw), folder, KEY.verifier)
    return folder


async def without_entries(connection: Connection, end: int) -> None:
    """A reader of these entries from PostgreSQL sees that they were changed."""
    await connection.execute("ALTER TABLE log.segment DISABLE TRIGGER append_only")
    await connection.execute("UPDATE log.segment SET entries = '' WHERE first_index + entries_count <= $1", end)


async def test_entries_of_a_mirror_are_not_read_from_postgresql_and_those_that_it_lacks_are(
    settings: Settings, live: Connection, raw: list[bytes], tmp_path: Path
) -> None:
    _, whole = await yesser_json(settings, "rebuild", "projections")
    mirror = await mirrored(raw[:MIRRORED], tmp_path / "mirror")
    await without_entries(live, MIRRORED // 256 * 256)
    code, report = await yesser_json(settings, "rebuild", "projections", "--from", str(mirror))
    assert (code, report) == (0, whole)
    assert isinstance((await yesser(settings, "rebuild", "projections")).exception, ChangedEntry), "without the mirror"


@every("number", [2, MIRRORED // 256])
async def test_a_mirror_whose_entries_were_changed_is_refused_and_its_bundle_named(
    settings: Settings, live: Connection, raw: list[bytes], tmp_path: Path, number: int
) -> None:
    mirror = await mirrored(raw[:MIRRORED], tmp_path / f"mirror {number}")
    path = mirror / tile_path("entries", number, min(256, MIRRORED - 256 * number))
    entries = split_bundle(path.read_bytes())
    entries[3] = entries[3].replace(b'"on":"20', b'"on":"19').replace(b'"time":"2', b'"time":"1')
    path.write_bytes(bundle_of(entries))
    result = await yesser(settings, "rebuild", "projections", "--from", str(mirror))
    assert isinstance(result.exception, ChangedFiles)
    assert str(result.exception).startswith(f"tile/entries/00{number}")


async def test_a_mirror_of_another_log_or_of_a_longer_one_an_export_and_a_folder_without_either_are_refused(
    settings: Settings, live: Connection, raw: list[bytes], tmp_path: Path
) -> None:
    other = await mirrored([*raw[: MIRRORED - 1], raw[-1]], tmp_path / "other")
    export = tmp_path / "export"
    export.mkdir()
    (export / "proof.json").touch()
    longer = await mirrored([*raw, raw[-1]], tmp_path / "longer")
    for mirror, error, reason in (
        (other, OtherLog, "not of the log in this database"),
        (longer, OtherLog, f"The files have {len(raw) + 1} entries, and the database {len(raw)}"),
        (tmp_path, NotThere, "is this a mirror"),
        (export, NoMirror, "An export is no mirror"),
    ):
        result = await yesser(settings, "rebuild", "projections", "--from", str(mirror))
        assert isinstance(result.exception, error)
        assert reason in str(result.exception)
    assert await live.fetchval("SELECT to_regclass($1)", PROGRESS) is None, "nothing was begun"


async def test_ranges_that_several_processes_fold_give_the_same_rows_from_a_mirror_too(
    settings: Settings, live: Connection, raw: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consumers.proof.commands.rebuild_ranges.RANGE_ENTRIES", 500)
    await apply_live(live, EVENT_INDEX, raw)
    _, whole = await yesser_json(settings, "rebuild", "event-index")
    mirror = await mirrored(raw[:MIRRORED], tmp_path / "mirror")
    indexes = "SELECT array_agg(indexname::text ORDER BY 1) FROM pg_indexes WHERE schemaname = 'event_index'"
    before = await live.fetchval(indexes)
    words = "rebuild", "event-index", "--processes", "2", "--compare", "--swap"
    code, report = await yesser_json(settings, *words, "--from", str(mirror))
    assert (code, report["ok"], report["read_models"]) == (0, True, whole["read_models"])
    assert await live.fetchval(indexes) == before, "built at the end"


async def test_the_next_rebuild_deletes_rows_of_ranges_behind_its_position_and_fences_off_who_still_folds_one(
    settings: Settings, live: Connection, raw: list[bytes]
) -> None:
    entries = [parse_entry(index, entry) for index, entry in enumerate(raw[:768])]
    first, second = LastingScratch(live, EVENT_INDEX), LastingScratch(live, EVENT_INDEX)
    await first.open(len(raw))
    async with connected(settings, "range", batch=True) as connection:
        ranges = [RangeScratch(connection, EVENT_INDEX, start, first.fence) for start in (0, 512)]
        await ranges[0].use()
        await ranges[0].apply(entries[:256])
        await ranges[1].apply(entries[512:640])
        await first.move(256)
        async with connection.transaction():
            await ranges[1].apply(entries[640:])
            goes_on = asyncio.create_task(second.open(len(raw)))
            held = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"
            await until(lambda: connection.fetchval(held), "the next rebuild waits for the transaction under way")
        await goes_on
        with pytest.raises(Fenced):
            await ranges[0].apply(entries[256:512])
    assert second.folded_from == 256
    assert await live.fetchval("SELECT (count(*), max(index)) = (256, 255) FROM event")
    assert not CONSUMER.folds_entries_apart


async def test_processes_that_fold_ranges_end_with_a_rebuild_that_is_killed_and_the_next_one_goes_on(
    settings: Settings, live: Connection, raw: list[bytes], environment: Callable[..., dict[str, str]]
) -> None:
    await apply_live(live, EVENT_INDEX, raw)
    _, whole = await yesser_json(settings, "rebuild", "event-index")
    program = f"""
from consumers.proof.commands import rebuild_ranges
from infra.cli import cli
rebuild_ranges.RANGE_ENTRIES = {RANGE}
cli(["rebuild", "event-index", "--pace", "5", "--processes", "2"])
"""
    command = [sys.executable, "-c", program]
    position = await killed(live, environment(), command, "rebuild_event_index_next.rebuild_progress")
    assert position % RANGE == 0
    code, report = await yesser_json(settings, "rebuild", "event-index")
    assert (code, report) == (0, {**whole, "folded_from": {"event-index": position}})
