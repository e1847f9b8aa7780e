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
        "",
        "old 1\n",
        f"old 1\n{NOTE}",
        f"old 01\n\n{NOTE}",
        f"old -1\n\n{NOTE}",
        f"old  1\n\n{NOTE}",
        f"old 1 \n\n{NOTE}",
        f"old 1\r\n\r\n{NOTE}",
        f"new 1\n\n{NOTE}",
        f"old 1\n{HASH[:-1]}\n\n{NOTE}",
        f"old 1\n{HASH[:-2]}x=\n\n{NOTE}",
        f"old 1\nAAAA\n\n{NOTE}",
        "old 1\n" + f"{HASH}\n" * 64 + f"\n{NOTE}",
        f"old {'9' * 30}\n\n{NOTE}",
    ],
)
def test_another_body_is_malformed(body: str) -> None:
    with pytest.raises(MalformedRequest):
        parse_add_checkpoint(body.encode())


@given(st.binary(max_size=300))
def test_any_bytes_are_parsed_or_malformed(body: bytes) -> None:
    with suppress(MalformedRequest):
        parse_add_checkpoint(body)
