"""Bounds what a client reads of an answer, whatever the server sends: as it comes in, and unpacked.

httpx unpacks every encoding that some package brings a decoder for, and without a bound: a few hundred bytes of brotli
become a gigabyte. So a client asks for gzip alone, and its answers are unpacked here.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator
from typing import Final

import httpx

from events.errors import YesserError

BYTES_MAX: Final = "answer_bytes_max"
"""The extension of a request that has a bound of its own."""
_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS


class AnswerRefused(YesserError, httpx.DecodingError):
    """The answer is larger than it may be, is packed as nobody asked for, or is not what it says."""


def bound_answers(client: httpx.AsyncClient, bytes_max: int) -> None:
    """Read at most `bytes_max` of each answer, or what its request's extension `BYTES_MAX` says.

    Beyond it, reading raises `AnswerRefused`, as does another encoding than gzip before a byte of the body is read.
    """
    client.headers["accept-encoding"] = "gzip"

    async def bound(answer: httpx.Response) -> None:
        body = _Body(answer, answer.request.extensions.get(BYTES_MAX, bytes_max))
        if answer.is_closed:  # it was made in memory
            body.require(len(answer.content))
        else:
            answer.stream = body

    client.event_hooks = {"response": [bound]}


class _Body(httpx.AsyncByteStream):
    """The bytes of one answer. They are unpacked here, and no more by httpx."""

    def __init__(self, answer: httpx.Response, bytes_max: int) -> None:
        encoding = answer.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ("gzip", "identity"):
            raise AnswerRefused(f"its answer is packed as {encoding[:40]!r}, and gzip was asked for")
        if not answer.is_closed:
            answer.headers.pop("content-encoding", None)
        self._unpacker = zlib.decompressobj(_GZIP_WINDOW) if encoding == "gzip" else None
        self._stream = answer.stream
        self._bytes_max = bytes_max
        self._raw = 0
        self._plain = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        assert isinstance(self._stream, httpx.AsyncByteStream)
        async for part in self._stream:
            yield self._next(part)
        if self._unpacker is not None and self._raw and not self._unpacker.eof:
            raise AnswerRefused("its answer ends before its gzip does")

    async def aclose(self) -> None:
        assert isinstance(self._stream, httpx.AsyncByteStream)
        await self._stream.aclose()

    def _next(self, part: bytes) -> bytes:
        """The plain bytes of the next part. Raises `AnswerRefused`."""
        self._raw += len(part)
        self.require(self._raw)
        if self._unpacker is not None:
            try:
                part = self._unpacker.decompress(part, self._bytes_max - self._plain + 1)
            except zlib.error:
                raise AnswerRefused("its answer is not the gzip that it says it is") from None
            if self._unpacker.unused_data:
                raise AnswerRefused("its answer goes on after the end of its gzip")
        self._plain += len(part)
        self.require(self._plain)
        return part

    def require(self, size: int) -> None:
        if size > self._bytes_max:
            raise AnswerRefused(f"its answer is larger than {self._bytes_max:,} bytes")
