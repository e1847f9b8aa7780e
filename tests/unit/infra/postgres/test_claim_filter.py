"""The filter never misses a claim that was added, and rejects nearly all others."""

from __future__ import annotations

from hashlib import sha256
from random import Random

from infra.postgres.claim_filter import ClaimFilter


def claims(count: int, seed: int) -> list[bytes]:
    random = Random(seed)
    return [random.randbytes(16) for _ in range(count)]


def test_claims_that_were_added_are_possible_in_their_order_and_others_but_for_a_few_are_not() -> None:
    added, others = claims(200_000, 3), claims(100_000, 4)
    found = ClaimFilter()
    found.add(added[:10_000])
    found.add(added[10_000:])
    mixed = [claim for pair in zip(added, others, strict=False) for claim in pair]
    possible = found.possible(mixed)
    known = set(added)
    assert [claim for claim in possible if claim in known] == added[:100_000]
    assert len(possible) < 100_200


def test_each_bit_of_the_filter_has_its_own_claims_and_prefixes_add_the_same_as_their_claims() -> None:
    numbers = [0, 1, 7, 8, 127, 128, (1 << 28) - 1]
    wanted = [(number << 4).to_bytes(4, "big") + sha256(bytes([number & 0xFF])).digest()[:12] for number in numbers]
    for claim in wanted:
        found, of_prefixes = ClaimFilter(), ClaimFilter()
        found.add([claim])
        of_prefixes.add_prefixes(claim[:4])
        assert found.possible(wanted) == of_prefixes.possible(wanted) == [claim]
    both = ClaimFilter()
    both.add_prefixes(b"".join(claim[:4] for claim in wanted))
    assert (both.possible(wanted), both.possible([])) == (wanted, [])
