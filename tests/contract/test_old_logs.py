"""Logs of earlier releases, as they were mirrored then: today's code verifies, reads and folds each one as before.

A folder of `tests/data` holds a mirror, the verifier key, and the figures that the release printed. It is never
changed; a release that changes entries or rules adds another.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest

from consumers.models.registry import CONSUMERS
from consumers.proof.audit.mirror import mirror_entries
from consumers.proof.audit.port import MirrorPort
from consumers.registrar.recovery.recover import recover
from events.validation.refusal import REFUSED
from events.wire.entry import parse_entry
from infra.json_documents import members
from infra.log.ports.tree import WrongTree, require_tree
from infra.log.refusals.read import refusals
from infra.log.signed_note import parse_vkey
from infra.postgres.connection import Connection
from infra.private_keys.key_files import load_or_create_keys, log_key_files
from infra.settings import Settings
from tests.contract.released_figures import require_figures
from tests.every import every
from tests.paths import DATA
from tests.world.documents import as_json
from tests.world.logs import apply_live

FOLDERS = sorted(DATA.glob("log-*"))


def port_of(folder: Path) -> MirrorPort:
    return MirrorPort(folder / "log", parse_vkey((folder / "log.vkey").read_text().strip()))


def figures_of(folder: Path) -> dict[str, Any]:
    figures: dict[str, Any] = orjson.loads((folder / "figures.json").read_bytes())
    return figures


async def entries_of(folder: Path) -> list[bytes]:
    return [raw async for raw in mirror_entries(folder / "log")]


@every("folder", FOLDERS)
async def test_an_old_mirror_gives_its_signed_root_and_every_entry_is_read(folder: Path) -> None:
    port = port_of(folder)
    checkpoint = await port.checkpoint()
    await require_tree(port, checkpoint.size, checkpoint.root)
    with pytest.raises(WrongTree):
        await require_tree(port, checkpoint.size - 1, checkpoint.root)
    entries = [parse_entry(index, raw) for index, raw in enumerate(await entries_of(folder))]
    assert len(entries) == checkpoint.size
    refused = [entry for entry in entries if entry.type == REFUSED]
    assert [(entry.index, entry.data["problem"]["errors"]) for entry in refused] == [
        (row["index"], row["errors"]) for row in figures_of(folder)["refusals"]
    ]
    assert refused


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
async def test_an_old_log_is_recovered_and_folded_to_the_figures_of_its_release(
    folder: Path, settings: Settings, connection: Connection
) -> None:
    checkpoint, figures = await port_of(folder).checkpoint(), figures_of(folder)
    # The key of the old log is not kept here: nothing is signed, so the root is compared below.
    load_or_create_keys(log_key_files(settings))
    recovered = await recover(settings, partial(mirror_entries, folder / "log"), lambda *_: None, unsigned=True)
    assert (recovered.size_before, recovered.size, recovered.root) == (0, checkpoint.size, checkpoint.root)
    raw = await entries_of(folder)
    for consumer in CONSUMERS.values():
        await apply_live(connection, consumer, raw)
    await require_figures(settings, figures)
    rows = [members(row) for row in reversed(await refusals(connection))]
    kept = [{name: row[name] for name in row if name not in ("accepted_index", "proof")} for row in rows]
    assert as_json(kept) == figures["refusals"]
