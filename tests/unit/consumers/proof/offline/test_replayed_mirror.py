"""A mirror alone is replayed and printed: by range and type, in batches of any size, and only what was signed."""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path

import orjson
import pytest

from consumers.models.registry import CONSUMERS
from consumers.proof.offline.store import SqliteStore
from events.wire.entry import parse_entry
from tests.every import every
from tests.world.logs import history_bytes
from tests.world.mirrors import mirrored, replay, run


@pytest.fixture(scope="module")
def raw() -> list[bytes]:
    return history_bytes(61, 700)


@every("name", sorted(CONSUMERS))
async def test_the_size_of_a_batch_changes_nothing(raw: list[bytes], tmp_path: Path, name: str) -> None:
    entries = [parse_entry(index, entry) for index, entry in enumerate(raw)]
    hashes = []
    for size in (13, len(raw)):
        with closing(SqliteStore(tmp_path / f"{name} {size}.sqlite", CONSUMERS[name])) as store:
            for first in range(0, len(raw), size):
                await store.apply(entries[first : first + size])
            hashes.append([store.hash(table) for table in CONSUMERS[name].tables])
    assert hashes[0] == hashes[1]


async def test_a_part_of_a_log_gives_entries_but_no_read_models(raw: list[bytes], tmp_path: Path) -> None:
    mirror = await mirrored(tmp_path / "mirror", raw)
    export = tmp_path / "export"
    command = ["audit", "export", str(mirror), "--into", str(export), "--from", "250", "--to", "260"]
    assert (await asyncio.to_thread(run, tmp_path, *command)).exit_code == 0
    printed = await replay(tmp_path, str(export), "--stdout", "--from", "255")
    whole = await replay(tmp_path, str(mirror), "--stdout", "--from", "255", "--to", "260")
    assert printed.stdout == whole.stdout
    assert printed.stdout.count("\n") == 5
    refused = await replay(tmp_path, str(export), "--into", str(tmp_path / "models"))
    assert (refused.exit_code, f"10 of {len(raw)} entries" in refused.output) == (2, True)
    assert not (tmp_path / "models").exists()


async def test_entries_are_printed_by_choice_and_only_what_was_signed(raw: list[bytes], tmp_path: Path) -> None:
    mirror = await mirrored(tmp_path / "mirror", raw)
    entries = [parse_entry(index, entry) for index, entry in enumerate(raw)]

    async def printed(*arguments: str) -> list[int]:
        result = await replay(tmp_path, str(mirror), "--stdout", *arguments)
        assert result.exit_code == 0, result.output
        return [orjson.loads(line)["index"] for line in result.stdout.splitlines()]

    assert await printed() == list(range(len(raw)))
    assert await printed("--from", "250", "--to", "260") == list(range(250, 260))
    launched = [entry.index for entry in entries if entry.type == "service.launched"]
    assert await printed("--type", "service.launched") == launched
    subject = entries[launched[0]].subject
    assert await printed("--subject", subject) == [entry.index for entry in entries if entry.subject == subject]
    assert await printed("--agency", "health") == [
        entry.index for entry in entries if entry.address.startswith("agency.health.events/")
    ]

    file = mirror / "tile/entries/001"
    file.write_bytes(file.read_bytes().replace(b'"recordedtime":"2', b'"recordedtime":"3', 1))
    for arguments in (("--stdout",), ("--into", str(tmp_path / "models"))):
        result = await replay(tmp_path, str(mirror), *arguments)
        assert "entry 256" in str(result.exception), result.output
    assert not (tmp_path / "models" / "projections.sqlite").exists()
