"""Exports entries with their proof and a verifier, as a folder that is verified without the log.

Flows in: a log that is not trusted, and which entries to export. Flows out: `entries.ndjson` or `entries.parquet`,
`texts.ndjson` where entries have texts, `proof.json`, `checkpoint`, `keys` once the log's key was replaced, and
`verify.py`. The proof holds one hash for each
part of the tree without exported entries.
"""

from __future__ import annotations

import shutil
from base64 import b64encode
from bisect import bisect_left
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Final, Literal, TypedDict

from msgspec import to_builtins

from consumers.proof.audit import verify
from consumers.proof.audit.authenticated import AuthenticatedLog
from consumers.proof.audit.source import unproven_texts
from consumers.proof.audit.texts import EntryTexts
from events.errors import Tampered, YesserError
from events.wire.entry import Entry, parse_entry
from infra.command_line.table_files import parquet_of
from infra.log.key_history import KeyHistory
from infra.log.layout import CHECKPOINT, KEY_HISTORY, TILE
from infra.log.ports.bundle_texts import BundleText, match_texts, text_lines
from infra.log.ports.port import LogPort
from infra.log.ports.tree import Progress
from infra.log.proofs import range_root
from infra.log.signed_note import Checkpoint, Verifier

Format = Literal["ndjson", "parquet"]
TextsOf = Callable[[int, bytes], Awaitable[list[BundleText]]]
"""The texts of an entry, by its index and its bytes."""
BUNDLES_AT_ONCE: Final = 32
_COLUMNS: Final = {name: "BIGINT" if name == "index" else "VARCHAR" for name in verify.COLUMNS} | {"data": "JSON"}


class ExportExists(YesserError):
    """The folder is not empty: choose another one, so that two exports are never mixed."""


class ExportReport(TypedDict):
    """What was exported, of a log of this size and root."""

    entries_count: int
    size: int
    root: str


async def selected_entries(
    log: AuthenticatedLog,
    first: int,
    end: int,
    has: Callable[[Entry], bool],
    progress: Progress = lambda done, total: None,
) -> AsyncIterator[tuple[int, bytes]]:
    """Index and bytes of the entries from `first` to `end - 1` that are wanted, each proven first."""
    start = first
    while first < end:
        stop = min(end, (first // TILE + BUNDLES_AT_ONCE) * TILE)
        entries = await log.entries(first, stop - first)
        for index, raw in enumerate(entries, first):
            if has(parse_entry(index, raw)):
                yield index, raw
        first += len(entries)
        progress(first - start, end - start)


async def export(
    port: LogPort,
    checkpoint: Checkpoint,
    verifier: Verifier,
    entries: AsyncIterator[tuple[int, bytes]],
    folder: Path,
    form: Format = "ndjson",
    texts: TextsOf | None = None,
) -> ExportReport:
    """Write the export to an empty or new folder, and verify it as its reader will. Raises `Tampered`.

    `texts` gives the texts of an entry, by default those of the log.
    """
    texts = texts or EntryTexts(port).of
    if form == "parquet":
        import duckdb  # noqa: F401 - of the extra `parquet`: its absence is found before anything is written
    _make(folder)
    indexes: list[int] = []
    with (folder / verify.LINES).open("wb") as file, (folder / verify.TEXTS).open("wb") as text_file:
        async for index, raw in entries:
            own = await texts(index, raw)
            text_file.write(text_lines(own))
            file.write(verify.row_line(index, raw, f"entry {index}", _put(own)))
            indexes.append(index)
        has_texts = text_file.tell() > 0
    if not has_texts:
        (folder / verify.TEXTS).unlink()
    hashes = [node async for node in _hashes(port, 0, checkpoint.size, indexes)]
    _complete(folder, checkpoint, await port.keys(), hashes, form)
    try:
        verify.verify(folder, verifier.vkey)
    except verify.Changed as error:
        raise Tampered(f"the export does not verify: {error}") from error
    return ExportReport(entries_count=len(indexes), size=checkpoint.size, root=checkpoint.root.hex())


def earlier_texts(folder: Path) -> TextsOf:
    """The texts of an earlier export. Raises `ChangedExport`."""
    texts: dict[int, list[BundleText]] = {}
    for row in unproven_texts(folder):
        texts.setdefault(row.index, []).append(row)

    async def of(index: int, raw: bytes) -> list[BundleText]:
        return match_texts(index, [raw], texts.get(index, []), str(folder / verify.TEXTS)).texts

    return of


def _put(texts: list[BundleText]) -> verify.Put:
    return lambda index, data: verify.put_texts(index, data, [to_builtins(text) for text in texts])


def _make(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        raise ExportExists(f"{folder}: {ExportExists.__doc__}")
    folder.mkdir(parents=True, exist_ok=True)


def _complete(folder: Path, checkpoint: Checkpoint, keys: KeyHistory, hashes: list[bytes], form: Format) -> None:
    """Write what goes beside the entries. By the rotations any key of the log verifies the export."""
    (folder / CHECKPOINT).write_text(checkpoint.note, encoding="utf-8")
    if keys.transitions:
        (folder / KEY_HISTORY).write_text(keys.text(), encoding="utf-8")
    if form == "parquet":
        parquet_of(folder / verify.LINES, folder / verify.TABLE, _COLUMNS)
        (folder / verify.LINES).unlink()
    files = [name for name in (CHECKPOINT, KEY_HISTORY, verify.TABLE) if (folder / name).exists()]
    proof = {
        "size": checkpoint.size,
        "hashes": [b64encode(node).decode() for node in hashes],
        "sha256": {name: verify.file_sha256(folder / name) for name in files},
    }
    (folder / "proof.json").write_text(verify.as_json(proof) + "\n", encoding="utf-8")
    shutil.copyfile(verify.__file__, folder / "verify.py")


async def _hashes(port: LogPort, begin: int, end: int, indexes: list[int]) -> AsyncIterator[bytes]:
    """The roots of the parts without exported entries, from left to right (RFC 6962 §2.1 splits)."""
    if begin == end:
        return
    at = bisect_left(indexes, begin)
    if at == len(indexes) or indexes[at] >= end:
        yield await range_root(port, begin, end)
    elif bisect_left(indexes, end, at) - at < end - begin:
        split = begin + (1 << (end - begin - 1).bit_length() - 1)
        async for node in _hashes(port, begin, split, indexes):
            yield node
        async for node in _hashes(port, split, end, indexes):
            yield node
