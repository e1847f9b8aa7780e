"""The texts of a proven copy of the log, in a file beside the read models, whose rows hold the hashes of texts.

Flows in: a mirror or an export, whose texts are compared with the hashes in its entries. Flows out: `text.sqlite` with
the table `text`, or `text.parquet`; nothing where the entries have no text.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from itertools import chain, takewhile
from pathlib import Path
from typing import Final, Literal

from msgspec import UNSET
from msgspec.structs import asdict

from consumers.proof.audit.mirror import signed_bundle
from consumers.proof.audit.source import is_export, unproven_texts
from events.wire.entry import has_texts
from infra.command_line.table_files import parquet_of
from infra.log.layout import TILE, texts_path, tiles_at
from infra.log.ports.bundle_texts import BundleText, match_texts, parse_texts, text_lines
from infra.log.signed_note import Checkpoint

_COLUMNS: Final = {
    "index": "BIGINT",
    "member": "TEXT",
    "sha256": "TEXT",
    "salt": "TEXT",
    "withheld_by": "BIGINT",
    "text": "TEXT",
}


def write_texts(
    source: Path, checkpoint: Checkpoint, folder: Path, end: int, form: Literal["sqlite", "parquet"]
) -> None:
    """Write the texts of the first `end` entries. Raises `WrongText`."""
    file = folder / f"text.{form}"
    file.unlink(missing_ok=True)
    texts = takewhile(lambda text: text.index < end, _texts(source, checkpoint))
    if (first := next(texts, None)) is not None:
        (_to_sqlite if form == "sqlite" else _to_parquet)(chain([first], texts), file)


def _texts(source: Path, checkpoint: Checkpoint) -> Iterator[BundleText]:
    if is_export(source):
        yield from unproven_texts(source)
        return
    for number, _ in tiles_at(0, checkpoint.size):
        entries, file = signed_bundle(source, number, checkpoint.size), source / texts_path(number)
        if any(map(has_texts, entries)) and file.exists():
            yield from match_texts(number * TILE, entries, parse_texts(file.read_bytes()), str(file)).texts


def _to_sqlite(texts: Iterator[BundleText], file: Path) -> None:
    columns = ", ".join(f'"{name}" {kind}' for name, kind in _COLUMNS.items())
    database = sqlite3.connect(file)
    try:
        database.execute(f'CREATE TABLE text ({columns}, PRIMARY KEY ("index", member)) WITHOUT ROWID')
        values = ([None if value is UNSET else value for value in asdict(text).values()] for text in texts)
        database.executemany(f"INSERT INTO text VALUES ({', '.join('?' * len(_COLUMNS))})", values)
        database.execute("CREATE INDEX text_sha256 ON text (sha256)")
        database.commit()
    finally:
        database.close()


def _to_parquet(texts: Iterator[BundleText], file: Path) -> None:
    lines = file.with_suffix(".ndjson")
    lines.write_bytes(text_lines(texts))
    parquet_of(lines, file, _COLUMNS)
    lines.unlink()
