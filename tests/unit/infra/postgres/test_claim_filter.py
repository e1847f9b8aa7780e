"""The filter never misses a claim that was added, and rejects nearly all others."""

from __future__ import annotations

from hashlib import sha256
from random import Random

from infra.postgres.claim_filter import ClaimFilter


def claims(count: int, seed: int) -> list[bytes]:
    random = Random(seed)
    return [random.randbytes(16) for _ in range(count)]


def test_claims_that_were_added_are_possible_in_their_order() -> None:
    added, others = claims(20_000, 1), claims(20_000, 2)
    found = ClaimFilter()
    found.add(added[:10_000])
    found.add(added[10_000:])
    mixed = [claim for pair in zip(added, others, strict=True) for claim in pair]
    known = set(added)
    assert [claim for claim in found.possible(mixed) if claim in known] == added


def test_other_claims_are_rejected_but_for_a_few() -> None:
    found = ClaimFilter()
    found.add(claims(200_000, 3))
    assert len(found.possible(claims(100_000, 4))) < 200


def test_each_bit_of_the_filter_has_its_own_claims() -> None:
    numbers = [0, 1, 7, 8, 127, 128, (1 << 28) - 1]
    wanted = [(number << 4).to_bytes(4, "big") + sha256(bytes([number & 0xFF])).digest()[:12] for number in numbers]
    for claim in wanted:
        found = ClaimFilter()
        found.add([claim])
        assert found.possible(wanted) == [claim]


def test_prefixes_add_the_same_as_their_claims() -> None:
    added = claims(1_000, 5)
    found = ClaimFilter()
    found.add_prefixes(b"".join(claim[:4] for claim in added))
    assert found.possible(added) == added
    assert found.possible([]) == []
