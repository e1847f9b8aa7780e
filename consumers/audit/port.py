"""The auditor's read port: a checkpoint, hashes, entries. The auditor never depends on a writer.

Two implementations, the log in PostgreSQL and a mirror folder, give the same answers for the same log.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Protocol

from consumers.audit.layout import CHECKPOINT, HASH_BYTES, TILE, Kind, hashes_at, split_hashes, tile_path
from events.errors import Tampered, YesserError
from infra.log.proofs import HashPort, stored_hashes
from infra.log.reader import ChangedEntry, read_checked, read_entries, split_bundle
from infra.log.signed_note import VKEY_FILE, Checkpoint, InvalidKey, Verifier, parse_checkpoint, parse_vkey
from infra.postgres.connection import Connection
from infra.postgres.sql import queries
from infra.settings import Settings

_SQL: Final = queries("consumers.audit", "port.sql")


class NotThere(YesserError):
    """The log lacks the requested part: it is damaged or incomplete."""


class CorruptBatch(NotThere, Tampered):
    """A file of the mirror is corrupt: keep it, and mirror the log again to another folder."""


def read_verifier(settings: Settings, vkey: str | None) -> Verifier:
    """The given key, else the one beside the registrar's own key."""
    if vkey is not None:
        return parse_vkey(vkey)
    path = settings.log_folder / VKEY_FILE
    try:
        return parse_vkey(path.read_text(encoding="utf-8").strip())
    except FileNotFoundError:
        raise InvalidKey(f"{path} does not exist: start the log once (`yesser up`), or give --vkey") from None


class LogPort(HashPort, Protocol):
    """A source of a whole log."""

    async def checkpoint(self) -> Checkpoint:
        """The newest checkpoint, its signature verified."""

    async def entries(self, first: int, count: int) -> list[bytes]:
        """The entries `first … first + count - 1`; all of them or `NotThere`."""


class PostgresPort:
    """The log in PostgreSQL."""

    def __init__(self, connection: Connection, verifier: Verifier) -> None:
        self._connection = connection
        self._verifier = verifier

    async def checkpoint(self) -> Checkpoint:
        note = await self._connection.fetchval(_SQL["newest_checkpoint"])
        if note is None:
            raise NotThere("there is no checkpoint yet: start the registrar (`yesser up`), which signs within a second")
        return parse_checkpoint(note, self._verifier)

    async def hashes(self, level: int, first: int, count: int) -> list[bytes]:
        return _whole(
            await stored_hashes(self._connection, level, first, count), count, f"hashes of level {level}", first
        )

    async def entries(self, first: int, count: int) -> list[bytes]:
        try:
            found = await read_entries(self._connection, first, count)
        except ChangedEntry:
            found = []
        if len(found) != count:  # a changed length: hashes will show the first wrong entry
            found = await read_checked(self._connection, first, count)
        return _whole(found, count, "entries", first)


class MirrorPort:
    """The log in a mirror folder (C2SP tlog-tiles). `size`: what to read before the folder has its checkpoint."""

    def __init__(self, folder: Path, verifier: Verifier, size: int | None = None) -> None:
        self._folder = folder
        self._verifier = verifier
        self._size = size

    async def checkpoint(self) -> Checkpoint:
        path = self._folder / CHECKPOINT
        try:
            note = path.read_bytes().decode("utf-8")
        except FileNotFoundError:
            raise NotThere(f"{path} does not exist: is this the folder of a mirror?") from None
        except UnicodeDecodeError:
            raise CorruptBatch(f"{path} is not UTF-8: the file is damaged; mirror the log again") from None
        checkpoint = parse_checkpoint(note, self._verifier)
        self._size = checkpoint.size
        return checkpoint

    async def hashes(self, level: int, first: int, count: int) -> list[bytes]:
        found: list[bytes] = []
        for number in range(first // TILE, -(-(first + count) // TILE)):
            data = (await self._read(level, level, number)).read_bytes()
            if len(data) % HASH_BYTES:
                raise CorruptBatch(f"{tile_path(level, number)} is not a whole number of hashes: the file is damaged")
            found += split_hashes(data)
        skipped = first % TILE
        return _whole(found[skipped : skipped + count], count, f"hashes of level {level}", first)

    async def entries(self, first: int, count: int) -> list[bytes]:
        found: list[bytes] = []
        for number in range(first // TILE, -(-(first + count) // TILE)):
            found += read_bundle(await self._read("entries", 0, number))
        skipped = first % TILE
        return _whole(found[skipped : skipped + count], count, "entries", first)

    async def _read(self, kind: Kind, level: int, number: int) -> Path:
        """The file of a tile: the full one, else the partial one of the checkpoint's size."""
        full = self._folder / tile_path(kind, number)
        if full.exists():
            return full
        if self._size is None:
            await self.checkpoint()
        assert self._size is not None
        width = min(TILE, max(0, hashes_at(level, self._size) - number * TILE))
        path = self._folder / tile_path(kind, number, width)
        if not path.exists():
            raise NotThere(f"{path} is missing: mirror the log again")
        return path


def read_bundle(path: Path) -> list[bytes]:
    """The entries of a bundle file. Raises `CorruptBatch` for a wrong length."""
    try:
        return split_bundle(path.read_bytes())
    except IndexError:
        raise CorruptBatch(
            f"{path} is not a sequence of lengths and entries: the file is damaged; mirror the log again"
        ) from None


def _whole(found: list[bytes], count: int, what: str, first: int) -> list[bytes]:
    if len(found) != count:
        raise NotThere(f"{what} from {first}: expected {count}, found {len(found)}")
    return found
