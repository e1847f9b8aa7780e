"""Opens what an auditor reads: a log's address, a mirror's folder or an export. No database is needed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from msgspec import ValidationError, convert

from consumers.proof.audit import verify
from consumers.proof.audit.port import MirrorPort, http_port
from consumers.proof.audit.texts import TextsReport
from events.errors import Tampered
from infra.log.key_history import KeyHistory, parse_transitions
from infra.log.layout import CHECKPOINT, KEY_HISTORY
from infra.log.merkle import TileTree, leaf_hash
from infra.log.ports.bundle_texts import BundleText
from infra.log.ports.port import LogPort
from infra.log.ports.tree import RecordedTimes
from infra.log.signed_note import Checkpoint, InvalidNote, OtherKey, Verifier

_CHANGED: Final = (verify.Changed, FileNotFoundError, IsADirectoryError, NotADirectoryError)


class ChangedExport(Tampered):
    """The export is not what was signed: do not rely on it, and ask its sender for the log's address."""


@dataclass(frozen=True, slots=True)
class Export:
    """A verified export of `count` entries, from the log of this checkpoint, with the keys that it names."""

    folder: Path
    checkpoint: Checkpoint
    count: int
    keys: KeyHistory
    texts: TextsReport | None
    """None where none of its entries has a text."""

    @property
    def size(self) -> int:
        return self.checkpoint.size

    @property
    def root(self) -> str:
        return self.checkpoint.root.hex()

    @property
    def is_whole(self) -> bool:
        """Whether it has every entry of its log."""
        return self.count == self.size

    def entries(self) -> Iterator[tuple[int, bytes]]:
        """Index and bytes of each entry, in log order. Raises `ChangedExport` where it was changed meanwhile."""
        return unproven_entries(self.folder)

    def root_at(self, size: int) -> bytes | None:
        """The root of its log's first `size` entries; None where the export cannot show it."""
        if size == self.size:
            return self.checkpoint.root
        tree = TileTree()
        for index, raw in self.entries() if size < self.size else ():
            if tree.size == size or index != tree.size:
                break
            tree.append([leaf_hash(raw)])
        return tree.root() if tree.size == size else None


def open_export(source: str | None, verifier: Verifier) -> Export | None:
    """The export in a folder; None for another source. Raises `ChangedExport`, `WrongTime` and `OtherKey`."""
    if source is None or is_address(source) or not is_export(Path(source)):
        return None
    folder = Path(source)
    texts = verify.Texts(folder)
    try:
        _, _, count = verify.verify(folder, verifier.vkey, lambda folder: _in_time(folder, texts))
        keys = export_keys(folder, verifier)
        has_texts = texts.count or texts.withheld or texts.lacking
        report = TextsReport(texts.count, texts.withheld, texts.lacking, []) if has_texts else None
        return Export(folder, export_checkpoint(folder, keys), count, keys, report)
    except verify.OtherKey as error:
        raise OtherKey(f"{source}: {error}.") from error
    except (verify.UsageError, InvalidNote, *_CHANGED) as error:
        raise _changed(folder, error) from error


def unproven_entries(folder: Path) -> Iterator[tuple[int, bytes]]:
    """Index and bytes of the entries of an export, whichever key signed it: what is written of them has to be verified.
    Raises `ChangedExport`."""
    try:
        yield from verify.read_entries(folder)
    except _CHANGED as error:
        raise _changed(folder, error) from error


def unproven_texts(folder: Path) -> Iterator[BundleText]:
    """The texts of an export, which have to be compared with their entries. Raises `ChangedExport`."""
    try:
        for row in verify.read_texts(folder / verify.TEXTS):
            yield convert(row, BundleText)
    except (ValidationError, *_CHANGED) as error:
        raise _changed(folder, error) from error


def _in_time(folder: Path, texts: verify.Texts) -> Iterator[tuple[int, bytes]]:
    """The entries, whose recorded times do not run backwards from one to the next."""
    times = RecordedTimes()
    for index, raw in verify.read_entries(folder, texts):
        times.require(index, [raw])
        yield index, raw


def _changed(folder: Path, error: Exception) -> ChangedExport:
    return ChangedExport(f"{folder}: {error}. {ChangedExport.__doc__}")


def export_checkpoint(folder: Path, keys: KeyHistory) -> Checkpoint:
    """The checkpoint of an export that was verified, by its `export_keys`. Raises `InvalidNote`."""
    return keys.parse_checkpoint((folder / CHECKPOINT).read_text(encoding="utf-8"))


def export_keys(folder: Path, verifier: Verifier) -> KeyHistory:
    """The key and those of the rotations in an export. Raises `InvalidNote`."""
    rotations = folder / KEY_HISTORY
    text = rotations.read_text(encoding="utf-8") if rotations.exists() else ""
    return KeyHistory.of(verifier, parse_transitions(text))


def is_export(folder: Path) -> bool:
    """A folder with tiles is a mirror, whatever else was put into it."""
    return (folder / "proof.json").is_file() and not (folder / "tile").exists()


def is_address(source: str) -> bool:
    return source.startswith(("http://", "https://"))


@asynccontextmanager
async def open_source(source: str, verifier: Verifier, token: str | None = None) -> AsyncIterator[LogPort]:
    """The log at an address such as `https://gateway.example/log/0/`, or in a folder."""
    if is_address(source):
        async with http_port(source, verifier, token) as port:
            yield port
    else:
        yield MirrorPort(Path(source), verifier)
