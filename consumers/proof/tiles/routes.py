"""`/log/0/checkpoint` and `/log/0/tile/…`: what a tlog-tiles client asks of a log; its keys, and the texts of entries.

Checkpoint, keys and hash tiles are public; entries and texts need a token with `log:read`. Paths are those of a
mirror's files, so that a mirror in any file server gives the same answers; it has no `vkeys`.
"""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, Request, Response

from infra.http.documents import Schema, answer, not_yet, problems
from infra.http.negotiation import weighted
from infra.http.problems import Problem
from infra.http.routes import LOG_PREFIX, RouteParts
from infra.log import reader
from infra.log.layout import CHECKPOINT, KEY_HISTORY, NEWEST_CHECKPOINT, TILE, Tile, parse_tile_path
from infra.log.ports.bundle_texts import text_lines
from infra.log.ports.postgres_port import stored_texts
from infra.log.signed_note import InvalidKey
from infra.postgres.connection import Connection
from infra.private_keys.key_files import read_verifier
from infra.settings import Settings

VKEYS: Final = "vkeys"
"""Beside `keys`, which older clients read as rotations alone."""
CHECKPOINT_TYPE: Final = "text/plain; charset=utf-8"
TILE_TYPE: Final = "application/octet-stream"
TEXTS_TYPE: Final = "application/x-ndjson"
_FOREVER: Final = "max-age=31536000, immutable"
_SAFE: Final = {"X-Content-Type-Options": "nosniff", "Accept-Ranges": "none"}
_GZIP_LEVEL: Final = 1
"""Of a bundle of JSON: a sixth of its bytes in 1 ms; level 6 saves another fifth in 3 ms."""
CHECKPOINT_AGE_S: Final = 1.0
"""A checkpoint is served for this long before the database is asked for a newer one."""


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest checkpoint, when it was read, and the one that enough witnesses cosigned (else the same)."""

    note: str
    size: int
    cosigned: str
    read_at_s: float


class TileSource:
    """Reads checkpoint, tiles and bundles from the database. What is not signed yet is not served: a tile is there once
    the newest checkpoint covers it."""

    def __init__(self, parts: RouteParts) -> None:
        self._parts = parts
        self._newest: Newest | None = None

    async def checkpoint(self) -> Newest:
        """The newest checkpoint, at most `CHECKPOINT_AGE_S` old. Raises `Problem` (404) before the first."""
        if self._newest is None or time.monotonic() - self._newest.read_at_s >= CHECKPOINT_AGE_S:
            async with self._parts.connection() as connection:
                await self._refresh(connection)
        if self._newest is None:
            raise Problem("not-found", retry_after_s=1)
        return self._newest

    async def read(self, tile: Tile) -> bytes | None:
        """The bytes of a tile or bundle; None if no checkpoint covers it, or rows of it are missing."""
        async with self._parts.connection() as connection:
            if not self._is_signed(tile):
                await self._refresh(connection)  # another process may have served a newer checkpoint
            if not self._is_signed(tile):
                return None
            if tile.kind == "entries":
                try:
                    return await reader.raw_bundle(connection, tile.number, tile.width)
                except IndexError:
                    return None
            found = await reader.stored_hashes(connection, tile.level, tile.number * TILE, tile.width)
            return b"".join(found) if len(found) == tile.width else None

    async def texts(self, number: int) -> bytes | None:
        """The texts of the signed entries of a bundle; None where it has none."""
        async with self._parts.connection() as connection:
            if not self._is_signed(Tile("entries", number)):
                await self._refresh(connection)
            size = 0 if self._newest is None else self._newest.size
            if number * TILE >= size:
                return None
            return text_lines(await stored_texts(connection, number * TILE, min(size, (number + 1) * TILE)))

    def _is_signed(self, tile: Tile) -> bool:
        return self._newest is not None and tile.is_within(self._newest.size)

    async def _refresh(self, connection: Connection) -> None:
        cosigned = await reader.cosigned_checkpoint(connection)
        found = await reader.newest_checkpoint(connection)
        if found is not None:
            self._newest = Newest(found[1], found[0], cosigned[1] if cosigned else found[1], time.monotonic())


def _text(description: str) -> Schema:
    return answer(description, {"type": "string"}, CHECKPOINT_TYPE)


def _binary(description: str) -> Schema:
    return answer(description, {"type": "string", "format": "binary"}, TILE_TYPE)


def router(parts: RouteParts) -> APIRouter:
    """The routes of the log's files."""
    source = TileSource(parts)
    routes = APIRouter(prefix=LOG_PREFIX.rstrip("/"), tags=["log files"], default_response_class=Response)

    @routes.get(
        f"/{CHECKPOINT}",
        summary="The newest signed checkpoint, with cosignatures",
        responses={200: _text("A C2SP checkpoint."), **_NOT_YET},
    )
    async def checkpoint() -> Response:
        """Size and root of the log, signed with its key. Where the log has witnesses: as enough of them cosigned it."""
        return _checkpoint((await source.checkpoint()).cosigned)

    @routes.get(
        f"/{NEWEST_CHECKPOINT}",
        summary="The newest signed checkpoint",
        responses={200: _text("A C2SP checkpoint."), **_NOT_YET},
    )
    async def newest_checkpoint() -> Response:
        """The same without waiting for witnesses: it may be some seconds ahead, and has the log's signature alone."""
        return _checkpoint((await source.checkpoint()).note)

    _add_keys(routes, parts)
    _add_tiles(routes, parts, source)
    return routes


def _add_keys(routes: APIRouter, parts: RouteParts) -> None:
    @routes.get(
        f"/{KEY_HISTORY}",
        summary="The rotations of the log's key",
        responses={
            200: _text("Signed notes, the first rotation first."),
            **problems(404, 503),
        },
    )
    async def key_history() -> Response:
        """Each rotation as a note that the old key and the new one signed. 404 before the first."""
        async with parts.connection() as connection:
            notes = await reader.rotation_notes(connection)
        return _keys("\n".join(notes))

    @routes.get(
        f"/{VKEYS}",
        summary="The log's verifier key, and its rotations",
        responses={
            200: _text("The first vkey, and after a blank line the rotations."),
            **problems(404, 503),
        },
    )
    async def vkeys() -> Response:
        """Compare them with the key that the log's operator gave you: a server cannot vouch for its own key."""
        async with parts.connection() as connection:
            notes = await reader.rotation_notes(connection)
        return _keys(keys_document(notes, _own_vkey(parts.settings)))


def _add_tiles(routes: APIRouter, parts: RouteParts, source: TileSource) -> None:
    @routes.get(
        "/tile/entries/{name:path}",
        summary="A bundle of entries",
        responses={200: _binary("Of each entry its length (16 bits, big-endian) and its bytes."), **_TOKEN_PROBLEMS},
    )
    async def bundle(request: Request, name: str) -> Response:
        """256 entries, or fewer with `.p/<number>`, in the order of the log."""
        (await parts.caller(request)).require("log:read")
        return await _packed(request, await _read(source, f"tile/entries/{name}"), f"private, {_FOREVER}", TILE_TYPE)

    @routes.get(
        "/texts/{name:path}",
        summary="The texts of a bundle of entries",
        responses={
            200: answer("One JSON object a line.", {"type": "string"}, TEXTS_TYPE),
            **_TOKEN_PROBLEMS,
        },
    )
    async def texts(request: Request, name: str) -> Response:
        """The free texts of the bundle `tile/entries/{name}`, as far as it is signed, in log order; `name` has no
        `.p/<number>`. Each line has `index`, `member` (of the event's `data`), `sha256`, `salt` and `text`, the
        JSON as it was sent: `sha256` is that of the salt's bytes and the text's canonical JSON (RFC 8785).

        A withheld text has no `salt` but `withheld_by`, the entry that withholds it, and `text` says so. Never cache
        an answer: a text that is withheld must be found nowhere.
        """
        (await parts.caller(request)).require("log:read")
        bundle = parse_tile_path(f"tile/entries/{name}")
        lines = await source.texts(bundle.number) if bundle is not None and bundle.width == TILE else None
        if lines is None:
            raise Problem("not-found")
        return await _packed(request, lines, "no-store", TEXTS_TYPE)

    @routes.get(
        "/tile/{name:path}",
        summary="A tile of the Merkle tree",
        responses={200: _binary("256 hashes of 32 bytes, or fewer with `.p/<number>`."), **problems(404, 503)},
    )
    async def tile(name: str) -> Response:
        """Hashes of one level of the tree."""
        path = f"tile/{name}"
        headers = {"Cache-Control": f"public, {_FOREVER}", **_SAFE}
        answer = Response(await _read(source, path), headers=headers, media_type=TILE_TYPE)
        if ".p/" not in path:
            parts.answers[LOG_PREFIX + path] = answer
        return answer


_TOKEN_PROBLEMS: Final = problems(401, 403, 404, 503)
_NOT_YET: Final = {**problems(503), 404: not_yet()}


def keys_document(rotations: Sequence[str], own: str) -> str:
    """The first vkey, which the second line of the first rotation has, and the rotations; none is verified here. `own`
    is the vkey of this machine's file. Empty where no key is known."""
    first = rotations[0].split("\n", 2)[1] if rotations else own
    return "\n".join([f"{first}\n", *rotations]) if first else ""


def _own_vkey(settings: Settings) -> str:
    try:
        return read_verifier(settings, None).vkey
    except (InvalidKey, OSError):
        return ""


def _keys(text: str) -> Response:
    """Raises `Problem` (404) for an empty text."""
    if not text:
        raise Problem("not-found")
    return Response(text, headers={"Cache-Control": "no-cache", **_SAFE}, media_type=CHECKPOINT_TYPE)


def _checkpoint(note: str) -> Response:
    return Response(note, headers={"Cache-Control": "public, max-age=1", **_SAFE}, media_type=CHECKPOINT_TYPE)


async def _read(source: TileSource, path: str) -> bytes:
    """The bytes at a path. Raises `Problem` (404) for a name that is not a tile's, or is not signed yet."""
    tile = parse_tile_path(path)
    data = None if tile is None else await source.read(tile)
    if data is None:
        raise Problem("not-found", retry_after_s=1 if tile is not None and tile.width < TILE else None)
    return data


async def _packed(request: Request, data: bytes, caching: str, media_type: str) -> Response:
    headers = {"Cache-Control": caching, "Vary": "Accept-Encoding, Authorization", **_SAFE}
    if _accepts_gzip(request):
        data = await asyncio.to_thread(gzip.compress, data, _GZIP_LEVEL, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return Response(data, headers=headers, media_type=media_type)


def _accepts_gzip(request: Request) -> bool:
    codings = weighted(request.headers.get("accept-encoding", ""))
    return next((quality > 0 for coding, quality in codings if coding in ("gzip", "*")), False)
