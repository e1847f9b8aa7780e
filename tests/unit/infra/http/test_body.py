"""A body costs no more than its limit in bytes and in time."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import AsyncIterator

import pytest

from infra.http.body import RATIO_MAX, BodyLimits, RawHeaders, gunzip, read_body
from infra.http.problems import Problem
from tests.every import every
from tests.virtual_time import virtual
from tests.world.events import encoded, initiative


async def stream(*parts: bytes, wait_s: float = 0) -> AsyncIterator[bytes]:
    for part in parts:
        await asyncio.sleep(wait_s)
        yield part


async def read(*parts: bytes, headers: RawHeaders = (), wait_s: float = 0) -> bytes:
    limits = BodyLimits(bytes_max=10, timeout_s=0.05 if wait_s else 60)
    return await read_body(stream(*parts, wait_s=wait_s), headers, limits)


async def status_of(*parts: bytes, headers: RawHeaders = (), wait_s: float = 0) -> int:
    with pytest.raises(Problem) as caught:
        await read(*parts, headers=headers, wait_s=wait_s)
    return caught.value.status


@virtual
async def test_a_body_of_the_limit_passes_in_any_number_of_parts_and_one_byte_more_is_too_large() -> None:
    assert await read(b"01234", b"56789") == b"0123456789"
    assert await read() == b""
    assert await status_of(b"0123456789", b"0") == 413
    assert await status_of(*[b"0123456789"] * 9) == 413


@virtual
async def test_a_declared_length_far_above_the_limit_is_refused_unread_also_one_of_thousands_of_digits() -> None:
    for length in (b"0" * 5_000 + b"5", b"0" * 5_000):
        assert await read(b"01234", headers=[(b"content-length", length)]) == b"01234"
    for length in (b"41", b"9" * 5_000, b"0" * 5_000 + b"41", b"1" + b"0" * 18):
        assert await status_of(headers=[(b"content-length", length)]) == 413


@virtual
async def test_every_byte_that_is_kept_is_counted_the_unpacked_ones_too() -> None:
    held: list[int] = []
    limits = BodyLimits(100, 1.0, held.append)
    await read_body(stream(b"0123", b"4"), [], limits)
    packed = gzip.compress(b"0" * 90)
    await read_body(stream(packed), [(b"content-encoding", b"gzip")], limits)
    assert held == [4, 1, len(packed), 90]


@virtual
async def test_a_slow_body_is_given_up_and_one_that_is_there_already_needs_no_clock() -> None:
    assert await status_of(b"a", b"b", wait_s=0.04) == 408
    assert await read_body(stream(b"0", b"1"), [], BodyLimits(bytes_max=10, timeout_s=None)) == b"01"


@every(
    "plain",
    [
        b"",
        b" " * 60_000,  # beyond the ratio, which does not matter for small bodies
        b"[" + b",".join(encoded(initiative(id=f"e-{number}")) for number in range(1_000)) + b"]",
    ],
)
def test_gzip_of_ordinary_bodies_is_unpacked(plain: bytes) -> None:
    assert gunzip(gzip.compress(plain, mtime=0), max(len(plain), 1)) == plain


@every("packed", [b"no gzip", gzip.compress(b"abc", mtime=0)[:-1], gzip.compress(b"abc", mtime=0) + b"x", b""])
def test_damaged_gzip_is_malformed(packed: bytes) -> None:
    with pytest.raises(Problem) as caught:
        gunzip(packed, 1_000)
    assert caught.value.status == 400


@every("encodings", [[b"br"], [b"gzip, gzip"], [b"gzip", b"gzip"]])
@virtual
async def test_any_other_packing_is_unsupported(encodings: list[bytes]) -> None:
    assert await status_of(b"x", headers=[(b"content-encoding", encoding) for encoding in encodings]) == 415


@every("unit", [b"0", b"[", b"{}, ", b" ", b'"a":1,', bytes(range(256))])
def test_a_bomb_is_too_large(unit: bytes) -> None:
    beyond_the_limit = gzip.compress(unit * 50_000, mtime=0), 1_000
    beyond_the_ratio = gzip.compress(unit * (3_000_000 // len(unit)), mtime=0), 4 << 20
    assert RATIO_MAX * len(beyond_the_ratio[0]) < 3_000_000, "the case would prove nothing"
    for packed, bytes_max in (beyond_the_limit, beyond_the_ratio):
        with pytest.raises(Problem) as caught:
            gunzip(packed, bytes_max)
        assert (caught.value.status, caught.value.code) == (413, "request-too-large")


@pytest.mark.alone
@virtual
async def test_a_bomb_of_16_kib_costs_less_than_50_ms_of_processor_time() -> None:
    limits, headers = BodyLimits(4 << 20, 1.0), [(b"content-encoding", b"gzip")]
    for plain in (b"0" * 16_000_000, b"[" * 16_000_000, b"[" + b"{}," * 5_000_000):
        packed = gzip.compress(plain)[: 16 << 10]
        started = time.process_time()
        with pytest.raises(Problem):
            await read_body(stream(packed), headers, limits)
        assert time.process_time() - started < 0.05
