"""The body of `add-checkpoint` comes back as it was written, and anything else is refused."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.witnesses.add_checkpoint import AddCheckpoint, MalformedRequest, parse_add_checkpoint
from tests.every import every

NOTE = "log.example/0\n7\nroot\n\n— log.example/0 AAAA\n"
HASH = "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw="


@given(size=st.integers(0, 10**18), proof=st.lists(st.binary(min_size=32, max_size=32), max_size=63))
def test_a_request_comes_back(size: int, proof: list[bytes]) -> None:
    request = AddCheckpoint(size, proof, NOTE)
    assert parse_add_checkpoint(request.body()) == request


@every(
    "body",
    [
        *["", "old 1\n", f"old 1\n{NOTE}", f"old 1\r\n\r\n{NOTE}"],
        *[f"{line}\n\n{NOTE}" for line in ("old 01", "old -1", "old  1", "old 1 ", "new 1", f"old {'9' * 30}")],
        *[f"old 1\n{proof}\n\n{NOTE}" for proof in (HASH[:-1], f"{HASH[:-2]}x=", "AAAA", "\n".join([HASH] * 64))],
    ],
)
def test_another_body_is_malformed(body: str) -> None:
    with pytest.raises(MalformedRequest):
        parse_add_checkpoint(body.encode())


@given(st.binary(max_size=300))
def test_any_bytes_are_parsed_or_malformed(body: bytes) -> None:
    with suppress(MalformedRequest):
        parse_add_checkpoint(body)
