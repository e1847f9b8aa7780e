"""How much of the log is read at once on the real PostgreSQL, whatever its entries' sizes."""

from __future__ import annotations

from hashlib import sha256

import pytest

from infra.log import reader
from infra.postgres.connection import Connection

SIZE = 1024
SEGMENT = 64


async def test_large_entries_are_read_in_parts_and_a_missing_segment_is_named(connection: Connection) -> None:
    log = [b"%010d" % index if index < 256 else b"%01000d" % index for index in range(SIZE)]
    for start in range(0, SIZE, SEGMENT):
        own = log[start : start + SEGMENT]
        bundle = b"".join(len(entry).to_bytes(2, "big") + entry for entry in own)
        leaves = b"".join(sha256(b"\x00" + entry).digest() for entry in own)
        await connection.execute("INSERT INTO log.segment VALUES ($1, $2, $3, $4)", start, SEGMENT, bundle, leaves)
    found = [batch async for batch in reader.entry_batches(connection, 0, SIZE, bytes_max=100_000)]
    assert [len(entries) for _, entries in found] == [320, *[64] * 11], "a second segment of 64,128 bytes is too much"
    assert [entry for _, entries in found for entry in entries] == log
    assert await reader.read_checked(connection, 300, 2, bytes_max=1) == log[300:302]
    assert len(await reader.read_checked(connection, 300, 500)) == 500, "fewer than 16 MiB"
    assert await reader.raw_bundle(connection, 1, 200) == b"".join(
        len(entry).to_bytes(2, "big") + entry for entry in log[256:456]
    )

    bundle, leaves = b"\x00\x01x" * SEGMENT, sha256(b"\x00x").digest() * SEGMENT
    missing = SIZE + SEGMENT
    for start in (SIZE, missing + SEGMENT):
        await connection.execute("INSERT INTO log.segment VALUES ($1, $2, $3, $4)", start, SEGMENT, bundle, leaves)
    assert len(await reader.read_unchecked(connection, SIZE, 100)) == SEGMENT, "what follows does not take its place"
    for read in (reader.read_unchecked, reader.read_checked):
        with pytest.raises(reader.ChangedEntry, match=rf"^entry {missing} "):
            await read(connection, SIZE, SIZE)
