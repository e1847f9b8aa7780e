"""Mirrors the log to a static folder that standard tools can read: checkpoint, hash tiles, entry bundles.

Full tiles never change, so they are written once; partial ones belong to the checkpoint's size. Those of an earlier
checkpoint stay until the full one is there, for readers of that one (tlog-tiles). Each file is replaced
atomically, and the checkpoint last, once all its tiles are on disk, so that no reader sees a checkpoint without its
tiles. An entry is written once it is proven; hashes are computed from the entries, never copied. The texts beside the
bundles are the one thing that goes again, once the log withholds it.
"""

from __future__ import annotations

import os
import struct
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypedDict

from consumers.proof.audit.authenticated import AuthenticatedLog
from consumers.proof.audit.pinned_checkpoint import ForkedLog, replace_file, require_continuation, require_rotations
from consumers.proof.audit.port import MirrorPort, entries_of, texts_in, tile_items
from consumers.proof.audit.texts import TEXTS, MirrorTexts
from events.errors import Tampered
from infra.log.key_history import KeyHistory
from infra.log.layout import (
    CHECKPOINT,
    KEY_HISTORY,
    TILE,
    Kind,
    Tile,
    levels_of,
    tile_path,
    tiles_at,
)
from infra.log.merkle import complete_root, leaf_hash
from infra.log.ports.bundle_texts import BundleText
from infra.log.ports.port import LogPort, MissingPart
from infra.log.ports.tree import Progress, WrongTree, require_tree
from infra.log.proofs import tree_root
from infra.log.signed_note import Checkpoint, InvalidNote, Verifier

BUNDLES_AT_ONCE: Final = 32


class DamagedMirror(Tampered):
    """The folder is not the mirror that it was: keep it, and mirror the log again to another folder."""


class MirrorReport(TypedDict):
    """The mirror's size and root, and the number of files that this run wrote."""

    size: int
    root: str
    files_written: int


@dataclass(slots=True)
class _Writer:
    """Writes files atomically and counts them. Full tiles of the first `verified` entries are there already."""

    folder: Path
    verified: int = 0
    written: int = 0

    def put(self, kind: Kind, number: int, parts: Sequence[bytes], width: int) -> None:
        path = self.folder / tile_path(kind, number, width)
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, b"".join(parts))
        self.written += 1
        if width == TILE:
            self._drop_partial(path)

    def _drop_partial(self, full: Path) -> None:
        """Remove the partial tile: readers of an older checkpoint use the full one, as the specification requires."""
        folder = full.with_name(full.name + ".p")
        for file in folder.glob("*"):
            if file.is_file():
                file.unlink()
        with suppress(OSError):  # it is not there, or somebody put a folder into it
            folder.rmdir()


async def write_mirror(
    port: LogPort,
    folder: Path,
    verifier: Verifier,
    progress: Progress = lambda done, total: None,
    checkpoint: Checkpoint | None = None,
    *,
    new_only: bool = False,
) -> MirrorReport:
    """Bring the folder to a signed checkpoint of the log. On `WrongTree` or `ForkedLog` the checkpoint does not move.

    `checkpoint`: the one that the reader accepted; None for the newest. Another one is not asked for: a server could
    show one that the reader did not accept. What the folder has is verified from its first entry, or, with `new_only`,
    taken as it is. Raises `DamagedMirror`.
    """
    if checkpoint is None:
        checkpoint = await port.checkpoint()
    history = await port.keys()
    size = checkpoint.size
    before = await _continued(port, folder, history, checkpoint)
    await require_rotations(port, history, checkpoint)
    if before is not None and not new_only:
        own = MirrorPort(folder, verifier, before.size)
        with _own_files(folder):
            await require_tree(own, before.size, before.root, lambda done, _: progress(done, before.size + size))
    writer = _Writer(folder, 0 if before is None else before.size)
    texts = MirrorTexts(port, MirrorPort(folder, verifier, size), folder, size)
    await _write_bundles(AuthenticatedLog(port, checkpoint), writer, size, texts, progress)
    with _own_files(folder):
        await _write_upper_tiles(MirrorPort(folder, verifier, size), writer, size)
        computed = await tree_root(MirrorPort(folder, verifier, size), size)
    if computed != checkpoint.root:
        differ = f"the files give the root {computed.hex()}, but {checkpoint.root.hex()} was signed"
        if before is not None and new_only:  # what is new was proven
            raise DamagedMirror(f"{folder}: {differ}: one that was there is damaged; run without --new-only to find it")
        raise WrongTree(f"{differ}; the mirror's checkpoint was not moved")
    await texts.update(range(0 if new_only else writer.verified // TILE))
    _publish(folder, checkpoint, history)
    return MirrorReport(size=size, root=checkpoint.root.hex(), files_written=writer.written + texts.written + 1)


async def mirror_entries(folder: Path, first: int = 0) -> AsyncIterator[bytes]:
    """The entries of a mirror from an index on. Nothing is verified here."""
    number, skipped = divmod(first, TILE)
    while bundle := _newest_bundle(folder, number):
        for entry in bundle[skipped:]:
            yield entry
        if len(bundle) < TILE:
            return
        number, skipped = number + 1, 0


def text_files(folder: Path) -> Iterator[Iterator[BundleText]]:
    """The texts of each of a mirror's files of texts. Nothing is verified here. Raises `CorruptBatch` while one is
    read."""
    for path in sorted((folder / TEXTS).rglob("[!.]*")):
        if path.is_file():
            yield texts_in(path.read_bytes(), str(path))


def signed_bundle(folder: Path, number: int, size: int) -> list[bytes]:
    """The entries of one bundle under a checkpoint of `size` entries, from the file that proves them (`TilesPort`).

    A wider file beside it, which may be there, is not looked at. Raises `MissingPart` and `CorruptBatch`.
    """
    width = min(TILE, size - number * TILE)
    for own in dict.fromkeys((width, TILE)):
        path = folder / tile_path("entries", number, own)
        if path.is_file():
            return tile_items("entries", path.read_bytes(), own, str(path))[:width]
    raise MissingPart(f"{folder / tile_path('entries', number, width)} is missing: mirror the log again")


def _publish(folder: Path, checkpoint: Checkpoint, history: KeyHistory) -> None:
    """Write the checkpoint, once all its tiles, and the history that names its key, are on disk."""
    folder.mkdir(parents=True, exist_ok=True)
    if history.transitions:
        replace_file(folder / KEY_HISTORY, history.text().encode())
    os.sync()
    replace_file(folder / CHECKPOINT, checkpoint.note.encode())
    os.sync()


async def _continued(port: LogPort, folder: Path, history: KeyHistory, new: Checkpoint) -> Checkpoint | None:
    """The checkpoint of the folder, which the new one continues; None for a new folder."""
    if not (folder / CHECKPOINT).exists():
        return None
    mirror = MirrorPort(folder, history.keys[0])
    try:
        history.continued(await mirror.keys())
    except InvalidNote as error:
        raise ForkedLog(f"{folder}: {error}: keep both, and find out who signed two histories") from error
    before = await mirror.checkpoint()
    await require_continuation(port, before, new, str(folder))
    return before


@contextmanager
def _own_files(folder: Path) -> Iterator[None]:
    """What is wrong with the files that are read here is wrong with the folder, not with the log."""
    try:
        yield
    except Tampered as error:
        raise DamagedMirror(f"{folder}: {error}. {DamagedMirror.__doc__}") from error


async def _write_bundles(
    log: AuthenticatedLog, writer: _Writer, size: int, texts: MirrorTexts, progress: Progress
) -> None:
    """Bundles of entries, at which `texts` looks, and the level-0 tiles computed from them."""
    first = writer.verified // TILE  # the bundles before it are there
    wanted = tiles_at(0, size)[first:]
    if wanted and first:  # the recorded times go on from those of the bundle before
        await log.entries((first - 1) * TILE, TILE)
    read, waiting = first * TILE, list[bytes]()
    for start in range(0, len(wanted), BUNDLES_AT_ONCE):
        group = wanted[start : start + BUNDLES_AT_ONCE]
        end = min(size, (group[-1][0] + 1) * TILE)
        for number, width in group:
            while len(waiting) < width:
                entries = await log.entries(read, end - read)
                read, waiting = read + len(entries), waiting + entries
            own, waiting = waiting[:width], waiting[width:]
            texts.look(number, own)
            writer.put(0, number, [leaf_hash(entry) for entry in own], width)
            writer.put("entries", number, [struct.pack(">H", len(e)) + e for e in own], width)
        progress(end, size)


async def _write_upper_tiles(mirror: MirrorPort, writer: _Writer, size: int) -> None:
    """Tiles of level ≥ 1, each hash computed from the full tile below it. Raises `MissingPart` and `CorruptBatch`."""
    for level in range(1, levels_of(size)):
        for number, width in tiles_at(level, size):
            if width == TILE and Tile(level, number).is_within(writer.verified):
                continue
            below = range(number * TILE, number * TILE + width)
            tiles = [await mirror.hashes(level - 1, n * TILE, TILE) for n in below]
            writer.put(level, number, list(map(complete_root, tiles)), width)


def _newest_bundle(folder: Path, number: int) -> list[bytes]:
    """The entries of one bundle, as far as the mirror has them."""
    full = folder / tile_path("entries", number)
    partial = [p for p in full.with_name(full.name + ".p").glob("*") if p.name.isdecimal()]
    path = full if full.exists() else max(partial, key=lambda p: int(p.name), default=None)
    return [] if path is None else entries_of(path.read_bytes(), str(path))
