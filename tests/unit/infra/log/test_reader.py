"""A bundle is read back as the entries it was made of."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from infra.log.bundle import split_bundle


@given(st.lists(st.binary(max_size=300), max_size=40))
def test_a_bundle_splits_into_its_entries(entries: list[bytes]) -> None:
    assert split_bundle(b"".join(len(e).to_bytes(2, "big") + e for e in entries)) == entries


def test_the_longest_entry_has_65535_bytes() -> None:
    assert split_bundle(b"\xff\xff" + b"x" * 65_535) == [b"x" * 65_535]
