"""The log as tlog-tiles files: of a mirror folder, and over HTTP.

The log of a server that an auditor does not trust: C2SP tlog-tiles over HTTP.

Whatever the server sends is bounded in size and time, and is believed only once its hashes lead to a signed checkpoint.
"""

from __future__ import annotations

import asyncio
import errno
import random
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import chain
from pathlib import Path
from typing import Final

import httpx
import msgspec
from cachetools import LRUCache

from events.errors import Retry, Tampered, YesserError
from infra.clock import backoff_s
from infra.http.answers import BYTES_MAX, AnswerRefused, bound_answers
from infra.log.bundle import split_bundle
from infra.log.key_history import KeyHistory, parse_transitions
from infra.log.layout import (
    CHECKPOINT,
    HASH_BYTES,
    KEY_HISTORY,
    TILE,
    Kind,
    hashes_at,
    split_hashes,
    texts_path,
    tile_path,
)
from infra.log.ports.bundle_texts import BundleText, parse_texts
from infra.log.ports.port import MissingPart, NotThere, whole
from infra.log.signed_note import Checkpoint, InvalidNote, Verifier
from infra.settings import Settings
from infra.tls.certificate_files import TlsFiles
from infra.tls.client import client_context
from infra.tls.plaintext import require_loopback

RECENT_TILES: Final = 64
CHECKPOINT_BYTES_MAX: Final = 512 << 10
"""A hundred signatures of 3.3 KB, as ML-DSA-44 has them, fit."""
KEY_HISTORY_BYTES_MAX: Final = 256 << 10
"""Some hundred rotations."""
TILE_BYTES_MAX: Final = TILE * HASH_BYTES
BUNDLE_BYTES_MAX: Final = TILE * (2 + 0xFFFF)
TEXTS_BYTES_MAX: Final = 3 * BUNDLE_BYTES_MAX
"""A quoted text has at most twice its bytes; some hundred bytes stand beside each."""
_DAMAGED: Final = frozenset({errno.EIO, errno.ELOOP})
"""Errors of a file or its disk. Any other is the reader's own, such as a right that is missing."""
CONNECTIONS_MAX: Final = 8
TRIES_MAX: Final = 5
ANSWER_MAX_S: Final = 30.0
"""Longest time for one file."""
RETRY_AFTER_MAX_S: Final = 10
_TIMEOUT: Final = httpx.Timeout(10.0)
_WAIT_MIN_S: Final = 0.2
_WAIT_MAX_S: Final = 5.0
_BUSY: Final = frozenset({408, 425, 429})
"""With every status from 500 on, also those of proxies (520 to 530): the server did not answer."""


class CorruptBatch(NotThere, Tampered):
    """A file of the log is corrupt: keep it, and mirror the log again to another folder."""


class TilesPort(ABC):
    """The log as tlog-tiles files. `size`: what to read before there is a checkpoint."""

    def __init__(self, verifier: Verifier, size: int | None = None) -> None:
        self._verifier = verifier
        self._size = size
        self._history: KeyHistory | None = None
        self._recent: LRUCache[tuple[Kind, int], list[bytes]] = LRUCache(RECENT_TILES)

    @abstractmethod
    async def _file(self, path: str, bytes_max: int) -> bytes | None:
        """The content of a file; None if it does not exist. Raises `CorruptBatch` if it is larger."""

    @abstractmethod
    def _place(self, path: str) -> str:
        """Where a file is, for messages."""

    async def checkpoint(self) -> Checkpoint:
        note = await self._text(CHECKPOINT, CHECKPOINT_BYTES_MAX)
        if note is None:
            raise NotThere(f"{self._place(CHECKPOINT)} does not exist: is this a mirror, or a log's address?")
        history = await self._keys()
        try:
            checkpoint = history.parse_checkpoint(note)
        except InvalidNote as error:
            raise InvalidNote(f"{self._place(CHECKPOINT)}: {error}") from error
        self._size, self._history = checkpoint.size, history
        self._recent.clear()
        return checkpoint

    async def keys(self) -> KeyHistory:
        """A server that is asked again could show another history, by which the checkpoint would not be verified."""
        return self._history or await self._keys()

    async def _keys(self) -> KeyHistory:
        """By the log's own file; before the first rotation it has none."""
        text = await self._text(KEY_HISTORY, KEY_HISTORY_BYTES_MAX)
        try:
            history = KeyHistory.of(self._verifier, parse_transitions(text or ""))
            if text is not None and (not text or history.text() != text):
                raise InvalidNote("it is not written as rotations are published")
            return history
        except InvalidNote as error:
            raise InvalidNote(f"{self._place(KEY_HISTORY)}: {error}") from error

    async def _text(self, path: str, bytes_max: int) -> str | None:
        data = await self._file(path, bytes_max)
        try:
            return None if data is None else data.decode("utf-8")
        except UnicodeDecodeError:
            raise CorruptBatch(f"{self._place(path)} is not UTF-8: the file is damaged") from None

    async def hashes(self, level: int, first: int, count: int) -> list[bytes]:
        return await self._part(level, level, first, count)

    async def entries(self, first: int, count: int) -> list[bytes]:
        return await self._part("entries", 0, first, count)

    async def texts(self, number: int) -> list[BundleText]:
        path = texts_path(number)
        return [*texts_in(await self._file(path, TEXTS_BYTES_MAX) or b"", self._place(path))]

    async def _part(self, kind: Kind, level: int, first: int, count: int) -> list[bytes]:
        numbers = range(first // TILE, -(-(first + count) // TILE))
        tiles = await asyncio.gather(*[self._tile(kind, level, number) for number in numbers])
        skipped = first % TILE
        items = list(chain.from_iterable(tiles))[skipped : skipped + count]
        return whole(items, count, "entries" if kind == "entries" else f"hashes of level {level}", first)

    async def _tile(self, kind: Kind, level: int, number: int) -> list[bytes]:
        """What a tile holds: as wide as the checkpoint's size says, else the full one that has replaced it."""
        if (kind, number) in self._recent:
            return self._recent[kind, number]
        if self._size is None:
            await self.checkpoint()
        assert self._size is not None
        width = min(TILE, max(0, hashes_at(level, self._size) - number * TILE)) or TILE
        for own in dict.fromkeys((width, TILE)):
            path = tile_path(kind, number, own)
            data = await self._file(path, BUNDLE_BYTES_MAX if kind == "entries" else TILE_BYTES_MAX)
            if data is not None:
                items = tile_items(kind, data, own, self._place(path))
                if kind != "entries":  # a proof asks for several parts of one tile
                    self._recent[kind, number] = items
                return items
        raise MissingPart(f"{self._place(tile_path(kind, number, width))} is missing: mirror the log again")


class MirrorPort(TilesPort):
    """The log in a mirror folder."""

    def __init__(self, folder: Path, verifier: Verifier, size: int | None = None) -> None:
        super().__init__(verifier, size)
        self._folder = folder

    async def _file(self, path: str, bytes_max: int) -> bytes | None:
        try:
            data = (self._folder / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except IsADirectoryError:
            raise CorruptBatch(f"{self._place(path)} is a folder, where the log has a file") from None
        except OSError as error:
            if error.errno not in _DAMAGED:
                raise
            raise CorruptBatch(f"{self._place(path)} cannot be read ({error.strerror}): it is damaged") from error
        if len(data) > bytes_max:
            raise CorruptBatch(f"{self._place(path)} is larger than such a file can be: it is damaged")
        return data

    def _place(self, path: str) -> str:
        return str(self._folder / path)


def tile_items(kind: Kind, data: bytes, width: int, place: str) -> list[bytes]:
    """The hashes or entries of a file that has `width` of them. Raises `CorruptBatch` for any other number."""
    items = entries_of(data, place) if kind == "entries" else split_hashes(data)
    if len(items) != width or (kind != "entries" and len(data) != width * HASH_BYTES):
        what = "entries" if kind == "entries" else "hashes"
        raise CorruptBatch(f"{place} has {len(data):,} bytes, which are not {width} {what}: the file is damaged")
    return items


def entries_of(data: bytes, place: str) -> list[bytes]:
    """The entries of a bundle. Raises `CorruptBatch` for a wrong length."""
    try:
        return split_bundle(data)
    except IndexError:
        raise CorruptBatch(
            f"{place} is not a sequence of lengths and entries: the file is damaged; mirror the log again"
        ) from None


def texts_in(data: bytes, place: str) -> Iterator[BundleText]:
    """The texts of a file. Raises `CorruptBatch` for one that is damaged."""
    try:
        yield from parse_texts(data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise CorruptBatch(f"{place} does not hold texts of entries: the file is damaged") from None


class LogAway(Retry):
    """The log's server did not answer: check the address and the network, then run the command again."""


class TokenRefused(YesserError):
    """The server gives entries to the holder of a token with the scope log:read only."""


class HttpPort(TilesPort):
    """The log under an address such as `https://gateway.example/log/0/`."""

    def __init__(self, client: httpx.AsyncClient, verifier: Verifier) -> None:
        super().__init__(verifier)
        self._client = client
        bound_answers(client, 0)  # each file has a bound of its own
        self._at_once = asyncio.Semaphore(CONNECTIONS_MAX)

    def _place(self, path: str) -> str:
        return f"{self._client.base_url}{path}"

    async def _file(self, path: str, bytes_max: int) -> bytes | None:
        """Raises `LogAway` after some tries, `TokenRefused`, and `CorruptBatch` for what no log sends."""
        reason = ""
        for attempt in range(TRIES_MAX):
            spread = random.random()  # noqa: S311 - spreads waits, no secret
            wait_s = backoff_s(attempt, spread, _WAIT_MIN_S, _WAIT_MAX_S) if attempt else 0.0
            await asyncio.sleep(wait_s)
            try:
                bound = {BYTES_MAX: bytes_max}
                async with (
                    self._at_once,
                    asyncio.timeout(ANSWER_MAX_S),
                    self._client.stream("GET", path, extensions=bound) as answer,
                ):
                    if answer.status_code == 200:
                        return await answer.aread()
                    if answer.status_code == 404:
                        return None
                    if answer.status_code in (401, 403):
                        raise TokenRefused(f"{self._place(path)}: {answer.status_code}. {TokenRefused.__doc__}")
                    if answer.status_code < 500 and answer.status_code not in _BUSY:
                        raise CorruptBatch(f"{self._place(path)} answered {answer.status_code}: this is not a log")
                    reason = f"it answered {answer.status_code}"
                    await asyncio.sleep(_retry_after_s(answer))
            except (httpx.TransportError, TimeoutError) as error:
                reason = str(error) or type(error).__name__
            except AnswerRefused as error:
                raise CorruptBatch(f"{self._place(path)}: {error}") from None
        raise LogAway(f"{self._place(path)}: {reason}. {LogAway.__doc__}")


@asynccontextmanager
async def http_port(address: str, verifier: Verifier, token: str | None = None) -> AsyncIterator[HttpPort]:
    """The log at an address. Redirects are not followed: a token goes to this address only.

    Raises `PlaintextRefused` if the token would leave this machine without encryption. Without one plain HTTP is taken:
    what is read is proven by its signature.
    """
    url = httpx.URL(address)
    if token is not None and url.scheme != "https":
        require_loopback("The token", [url.host], "use the log's https:// address")
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    limits = httpx.Limits(max_connections=CONNECTIONS_MAX, max_keepalive_connections=CONNECTIONS_MAX)
    base = address.rstrip("/") + "/"
    verify = client_context(TlsFiles.of(Settings())) if url.scheme == "https" else False
    # A proxy on the way could read the token of a plain request.
    trusts_env = token is None or url.scheme == "https"
    async with httpx.AsyncClient(
        base_url=base, headers=headers, timeout=_TIMEOUT, limits=limits, verify=verify, trust_env=trusts_env
    ) as client:
        yield HttpPort(client, verifier)


def _retry_after_s(answer: httpx.Response) -> int:
    retry_after = answer.headers.get("retry-after", "")
    return min(int(retry_after), RETRY_AFTER_MAX_S) if retry_after.isascii() and retry_after.isdecimal() else 0
