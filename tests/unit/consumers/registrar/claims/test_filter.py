"""The filter never misses a claim that was added or sealed, and rejects nearly all others."""

from __future__ import annotations

from hashlib import sha256
from itertools import pairwise
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.registrar.claims.filter import ClaimFilter
from consumers.registrar.claims.fingerprints import (
    MERGE_RATIO,
    PARTS,
    PREFIX_BYTES,
    Fingerprints,
    Sealed,
    hash_of,
    merged_at_the_end,
)
from consumers.registrar.claims.sealing import intact, next_run

RUN = 10
EMPTY = Fingerprints.of(b"")


def claims(count: int, seed: int) -> list[bytes]:
    random = Random(seed)
    return [random.randbytes(16) for _ in range(count)]


def fingerprints_of(part: int, found: list[bytes]) -> Fingerprints:
    return Fingerprints.of(b"".join(claim[:PREFIX_BYTES] for claim in found if claim[0] == part))


def empty_filter(end_index: int, run_entries: int = RUN) -> ClaimFilter:
    """Of a log whose entries below this index have no claim, and are sealed."""
    found = ClaimFilter(run_entries)
    for part in range(PARTS):
        found.seal(part, [Sealed(part, 0, end_index, EMPTY)])
    found.collect()
    found.begin_recent(end_index)
    return found


def test_claims_that_were_added_are_possible_in_their_order_and_others_but_for_a_few_are_not() -> None:
    added, others = claims(200_000, 3), claims(100_000, 4)
    found = ClaimFilter(run_entries=90_000)
    assert found.possible(others[:10]) == others[:10], "nothing is known yet"
    found.add(others, 1)
    found.collect()
    found.begin_recent(0)
    found.add(added[:100_000], 100_000)
    found.add(added[100_000:], 200_000)
    mixed = [claim for pair in zip(added, others, strict=False) for claim in pair]
    possible = found.possible(mixed)
    known = set(added)
    assert [claim for claim in possible if claim in known] == added[:100_000]
    assert len(possible) < 100_200


def test_each_bit_of_the_filter_has_its_own_claims_and_prefixes_add_the_same_as_their_claims() -> None:
    numbers = [0, 1, 7, 8, 127, 128, (1 << 28) - 1]
    wanted = [(number << 4).to_bytes(4, "big") + sha256(bytes([number & 0xFF])).digest()[:12] for number in numbers]

    def filter_of(found: list[bytes], *, as_prefixes: bool) -> ClaimFilter:
        filled = empty_filter(1)
        if as_prefixes:
            filled.add_prefixes(b"".join(claim[:PREFIX_BYTES] for claim in found), len(found), 2)
        else:
            filled.add(found, 2)
        return filled

    for claim in wanted:
        for as_prefixes in (False, True):
            assert filter_of([claim], as_prefixes=as_prefixes).possible(wanted) == [claim]
    both = filter_of(wanted, as_prefixes=True)
    assert (both.possible(wanted), both.possible([])) == (wanted, [])


def test_sealed_claims_are_possible_and_others_but_for_a_few_are_not_however_often_they_were_merged() -> None:
    sealed, others = ([b"\x07" + claim[1:] for claim in claims(60_000, seed)] for seed in (5, 6))
    found, ranges = empty_filter(6 * RUN), list[Sealed]()
    for at in range(6):
        run = fingerprints_of(7, sealed[at * 10_000 : (at + 1) * 10_000])
        ranges = merged_at_the_end([*ranges, Sealed(7, at * RUN, (at + 1) * RUN, run)], RUN)
    found.seal(7, ranges)
    assert found.possible(sealed) == sealed
    # Of 65,536 others of a bucket 3.7: it has so many fingerprints.
    assert len(found.possible(others)) < 20
    assert [s.fingerprints.claims_count for s in ranges] == [60_000]


@settings(max_examples=30)
@given(st.lists(st.lists(st.binary(min_size=5, max_size=5), max_size=40), min_size=1, max_size=3), st.booleans())
def test_fingerprints_hold_every_claim_they_were_made_of(runs: list[list[bytes]], one_bucket: bool) -> None:
    """Also where all have one bucket, and where two fingerprints show a third one between them."""
    parts = [[b"\x07" + (b"\x01\x02\x03" + tail[3:] if one_bucket else tail) for tail in run] for run in runs]
    merged = Fingerprints.of(b"".join(parts[0]))
    for run in parts[1:]:
        merged = merged.merged(Fingerprints.of(b"".join(run)))
    found = empty_filter(1)
    found.seal(7, [Sealed(7, 0, 1, merged)])
    whole = [prefix + bytes(10) for run in parts for prefix in run]
    assert found.possible(whole) == whole
    assert Fingerprints(merged.data).claims_count == len(whole)
    if one_bucket:
        stored = {claim[4:6] for claim in whole}
        others = [b"\x07\x01\x02\x03" + bytes(fingerprint) + bytes(10) for fingerprint in pairs_of(stored)]
        assert found.possible(others) == [], "no fingerprint, but the bytes of two of them"


def pairs_of(stored: set[bytes]) -> list[bytes]:
    """What stands at the odd places of two fingerprints in a row, and is none of them."""
    return sorted({a[1:] + b[:1] for a in stored for b in stored} - stored)


def test_ranges_are_merged_by_powers_so_that_few_are_searched() -> None:
    sealed: list[Sealed] = []
    counts, written = set(), 0
    for run in range(3 * MERGE_RATIO):
        sealed = merged_at_the_end([*sealed, Sealed(0, run * RUN, (run + 1) * RUN, EMPTY)], RUN)
        written += (sealed[-1].end_index - sealed[-1].first_index) // RUN
        counts.add(len(sealed))
        assert [s.first_index for s in sealed] == [0, *(s.end_index for s in sealed[:-1])]
    assert counts == {1, 2}
    assert written / (run + 1) < 22, "a claim is written so often"


def test_what_is_sealed_next_follows_the_ends_of_all_parts() -> None:
    assert next_run([0] * 4, 0, 9, RUN) is None
    assert next_run([0] * 4, 0, 10, RUN) == range(10)
    assert next_run([10, 10, 0, 0], 0, 25, RUN) == range(10), "a crash left two parts behind"
    assert next_run([4, 10, 0, 0], 0, 25, RUN) == range(4), "never across the end of a part"
    assert next_run([20, 20, 0, 20], 20, 29, RUN) == range(10), "a damaged part, when nothing else waits"
    assert next_run([20, 20, 0, 20], 20, 30, RUN) == range(20, 30), "recent claims first"
    assert next_run([20, 20, 17, 20], 20, 29, RUN) == range(17, 20)
    assert next_run([20, 20, 20, 20], 20, 29, RUN) is None


def test_recent_claims_are_dropped_once_each_part_that_keeps_up_has_sealed_them() -> None:
    first, second = ([b"\x07" + claim[1:] for claim in claims(RUN, seed)] for seed in (7, 8))
    others = claims(2_000, 10)
    found = empty_filter(RUN)
    found.seal(9, [])
    found.add(first, 2 * RUN)
    found.add(second, 3 * RUN)
    of_9 = [claim for claim in others if claim[0] == 9]
    assert (found.possible(others), len(of_9) > 0) == (of_9, True), "of a part that was damaged all are possible"
    for part in range(PARTS):
        found.drop_recent()
        assert found.recent_from == RUN
        if part != 9:
            found.seal(part, [Sealed(part, 0, 2 * RUN, fingerprints_of(7, first) if part == 7 else EMPTY)])
    found.drop_recent()
    assert found.recent_from == 2 * RUN
    assert found.possible(first + second) == first + second
    found.seal(7, [Sealed(7, 0, 2 * RUN, EMPTY)])
    assert found.possible(first + second) == second, "the first are sealed only"
    found.seal(9, [Sealed(9, 0, 2 * RUN, EMPTY)])
    assert found.possible(others) == []


def test_only_what_was_written_at_its_place_is_taken() -> None:
    found = claims(3_000, 11)
    rows = []
    for first, end in pairwise((0, 10, 20, 30)):
        data = fingerprints_of(0, found[first * 100 : end * 100]).data
        sha, count = hash_of(0, first, end, data), Fingerprints(data).claims_count
        rows.append(
            {"part": 0, "first_index": first, "end_index": end, "sha256": sha, "fingerprints": data}
            | {"claims_count": count}
        )
    whole, fault = intact(rows, 30)
    assert ([s.end_index for s in whole], fault) == ([10, 20, 30], None)
    changed = bytes(len(rows[1]["fingerprints"])) if isinstance(rows[1]["fingerprints"], bytes) else b""
    faults = {
        "entries 20 to 30 of 30": [rows[0], rows[2]],
        "another hash": [rows[0], rows[1] | {"fingerprints": changed}, rows[2]],
        "another hash ": [rows[0], rows[1] | {"part": 1}, rows[2]],
        "claims, not 99": [rows[0], rows[1] | {"claims_count": 99}, rows[2]],
    }
    for words, damaged in faults.items():
        kept, fault = intact(damaged, 30)
        assert [s.end_index for s in kept] == [10]
        assert words.strip() in str(fault)
    assert intact(rows, 29)[1] == "it is of entries 20 to 30 of 29"
