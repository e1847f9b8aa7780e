"""What no source has alone, several prove together: a mirror that is short, a topic that was created again."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from consumers.proof.audit.mirror import mirror_entries, write_mirror
from consumers.proof.commands.recovery import folder_source, recover_from
from consumers.registrar.recovery.recover import CannotRecover, WrongEntries, recover, together, topic_source
from infra.log.ports.postgres_port import PostgresPort
from infra.log.reader import log_size, read_checked, read_tree
from infra.log.signed_note import checkpoint_text, parse_checkpoint, sign_note
from infra.postgres.connection import connected
from infra.private_keys.key_files import load_or_create_keys, log_key_files
from infra.settings import Settings
from tests.integration.consumers.registrar.recovery.copied_log import Copied, copied, quiet
from tests.world.logs import ship_raw
from tests.world.registrars import copy_of_database
from tests.world.topics import drop_topic, make_topics

LOST = 7
"""Entries that the mirror does not have."""


async def short_mirror(settings: Settings, old: Copied, folder: Path) -> None:
    """A mirror that was made some entries before the loss."""
    key = load_or_create_keys(log_key_files(settings)).current
    size = old.size - LOST
    async with connected(settings, "mirror") as connection:
        note = sign_note(checkpoint_text(key.name, size, (await read_tree(connection, size)).root()), [key])
        checkpoint = parse_checkpoint(note, key.verifier)
        await write_mirror(PostgresPort(connection, key.verifier), folder, key.verifier, checkpoint=checkpoint)


def changed_copy(folder: Path, name: str, change: Callable[[bytes], bytes]) -> Path:
    """A copy of the mirror with other bundles."""
    copy = folder.with_name(name)
    shutil.copytree(folder, copy)
    for path in copy.glob("tile/entries/**/*"):
        if path.is_file():
            path.write_bytes(change(path.read_bytes()))
    return copy


async def topic_from(settings: Settings, first: int) -> None:
    """The log's topic was created again, and filled from a later entry on: its offsets say nothing."""
    async with connected(settings, "topic") as connection:
        raw = await read_checked(connection, first, await log_size(connection) - first)
    await drop_topic(settings, settings.log_topic)
    await make_topics(settings)
    await ship_raw(settings, enumerate(raw, first))


async def test_sources_that_are_short_changed_or_damaged_give_the_log_together(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with copied(settings) as old:
        mirror = tmp_path / "mirror"
        await short_mirror(settings, old, mirror)
        lying = changed_copy(mirror, "lying", lambda bundle: bundle.replace(b"word", b"lies"))
        damaged = changed_copy(mirror, "damaged", lambda bundle: bundle[:-1])
        async with copy_of_database(old.settings) as copy:
            sources = [folder_source(lying), topic_source(copy)]
            with pytest.raises(WrongEntries):
                await recover(copy, together(sources), quiet)
            assert (await recover_from(copy, sources, unsigned=False)).root == old.root
        async with copy_of_database(old.settings) as copy:
            sources = [folder_source(damaged), topic_source(copy)]
            assert (await recover_from(copy, sources, unsigned=False)).root == old.root
            assert f"damaged is read up to entry {old.size_before} only" in capsys.readouterr().err
        await topic_from(settings, old.size - LOST - 3)
        missing = rf"{old.size - LOST} to {old.size - 1} are missing"
        with pytest.raises(CannotRecover, match=missing):
            await recover(old.settings, lambda first: mirror_entries(mirror, first), quiet)
        with pytest.raises(CannotRecover, match=f"{old.size_before} to {old.size - 1} are missing"):
            await recover(old.settings, topic_source(old.settings), quiet)
        recovered = await recover_from(
            old.settings, [folder_source(mirror), topic_source(old.settings)], unsigned=False
        )
        assert (recovered.size, recovered.root) == (old.size, old.root)
