"""Logs of earlier releases, as they were mirrored then: today's code verifies, reads and folds each one as before.

A folder of `tests/data` holds a mirror, the verifier key, and the figures that the release printed. It is never
changed; a release that changes entries or rules adds another.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson
import pytest

from consumers.audit.mirror import mirror_entries
from consumers.audit.port import MirrorPort
from consumers.audit.tree import WrongTree, require_tree
from consumers.registrar.recovery.recover import recover
from consumers.registry import CONSUMERS
from events.validation.refusal import REFUSED
from events.wire.entry import parse_entry
from infra.log.signed_note import Checkpoint, parse_vkey
from infra.postgres.connection import Connection
from infra.private_keys.key_files import load_or_create_keys, log_key_files
from infra.settings import Settings
from producers.refusals.read import SQL as REFUSALS
from tests.contract.released_figures import require_figures
from tests.paths import DATA
from tests.world.documents import as_json
from tests.world.logs import apply_live

FOLDERS = sorted(DATA.glob("log-*"))


@dataclass(frozen=True)
class OldLog:
    """A log of a release, and what that release made of it."""

    folder: Path

    @cached_property
    def port(self) -> MirrorPort:
        return MirrorPort(self.folder / "log", parse_vkey((self.folder / "log.vkey").read_text().strip()))

    @cached_property
    def figures(self) -> dict[str, Any]:
        figures: dict[str, Any] = orjson.loads((self.folder / "figures.json").read_bytes())
        return figures

    async def raw(self) -> list[bytes]:
        return [raw async for raw in mirror_entries(self.folder / "log")]

    async def checkpoint(self) -> Checkpoint:
        return await self.port.checkpoint()


@pytest.fixture(params=FOLDERS, ids=lambda folder: folder.name)
def old(request: pytest.FixtureRequest) -> OldLog:
    return OldLog(request.param)


def quiet(_: str, __: int) -> None:
    """No progress is shown."""


def test_there_is_an_old_log() -> None:
    assert FOLDERS


async def test_an_old_mirror_gives_its_signed_root(old: OldLog) -> None:
    checkpoint = await old.checkpoint()
    await require_tree(old.port, checkpoint.size, checkpoint.root)
    with pytest.raises(WrongTree):
        await require_tree(old.port, checkpoint.size - 1, checkpoint.root)


async def test_every_entry_of_an_old_log_is_read(old: OldLog) -> None:
    entries = [parse_entry(index, raw) for index, raw in enumerate(await old.raw())]
    assert len(entries) == (await old.checkpoint()).size
    refused = [entry for entry in entries if entry.type == REFUSED]
    assert [(entry.index, entry.data["problem"]["errors"]) for entry in refused] == [
        (row["index"], row["errors"]) for row in old.figures["refusals"]
    ]
    assert refused


async def test_an_old_log_is_recovered_and_folded_to_the_figures_of_its_release(
    old: OldLog, settings: Settings, connection: Connection
) -> None:
    checkpoint = await old.checkpoint()
    # The key of the old log is not kept here: nothing is signed, so the root is compared below.
    load_or_create_keys(log_key_files(settings))
    recovered = await recover(settings, lambda first: mirror_entries(old.folder / "log", first), quiet, unsigned=True)
    assert (recovered.size_before, recovered.size, recovered.root) == (0, checkpoint.size, checkpoint.root)
    raw = await old.raw()
    for consumer in CONSUMERS.values():
        await apply_live(connection, consumer, raw)
    await require_figures(settings, old.figures)
    refusals = [dict(row) for row in await connection.fetch(REFUSALS["list"], None, None)]
    assert as_json(refusals) == old.figures["refusals"]
