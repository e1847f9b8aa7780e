"""Fingerprints of claims: two bytes for each, which prove that nearly all other claims are not among them.

Claims are hashes, so that their own bits say where they belong. The first byte is a claim's part, the next 14 bits its
bucket in the part, and bytes 4 and 5 its fingerprint. Another claim has one of n fingerprints of its bucket by chance
of n in 65,536: with a billion claims a bucket has 238.

Pure. Neighbours are merged bucket by bucket, without the claims.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import accumulate, pairwise
from struct import Struct, iter_unpack
from typing import Final

PARTS: Final = 256
PREFIX_BYTES: Final = 6
"""What is used of a claim."""
_BUCKETS: Final = 1 << 14
MERGE_RATIO: Final = 32
_BYTES_EACH: Final = 2
_STARTS: Final = "I"
_STARTS_BYTES: Final = 4 * (_BUCKETS + 1)
_BUCKET_AND_FINGERPRINT: Final = ">xHx2s"
_RANGE: Final = Struct(">BQQ")


def bucket_of(prefix: int) -> int:
    """The bucket of a claim with these first 32 bits."""
    return prefix >> 10 & _BUCKETS - 1


class Fingerprints:
    """Those of the claims of one part.

    `data`: where each bucket begins, and where the last one ends (32-bit integers of the processor, which is
    little-endian), then the buckets.
    """

    __slots__ = ("data", "starts")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.starts = array(_STARTS, data[:_STARTS_BYTES])

    @classmethod
    def of(cls, prefixes: bytes) -> Fingerprints:
        """Those of claims of one part, given as their first 6 bytes, concatenated."""
        buckets = [b""] * _BUCKETS
        for bits, fingerprint in iter_unpack(_BUCKET_AND_FINGERPRINT, prefixes):
            buckets[bits >> 2] += fingerprint
        return cls._of_buckets(buckets)

    @classmethod
    def _of_buckets(cls, buckets: Sequence[bytes]) -> Fingerprints:
        starts = array(_STARTS, accumulate(map(len, buckets), initial=_STARTS_BYTES))
        return cls(b"".join((starts.tobytes(), *buckets)))

    @property
    def claims_count(self) -> int:
        return (len(self.data) - _STARTS_BYTES) // _BYTES_EACH

    def may_hold(self, bucket: int, fingerprint: bytes) -> bool:
        """Whether a claim of this bucket and with this fingerprint may be among them."""
        start, end = self.starts[bucket], self.starts[bucket + 1]
        at = self.data.find(fingerprint, start, end)
        while (at - start) % _BYTES_EACH and at >= 0:  # the end of one fingerprint and the beginning of the next
            at = self.data.find(fingerprint, at + 1, end)
        return at >= 0

    def merged(self, newer: Fingerprints) -> Fingerprints:
        """Those of both."""
        mine, others = self.data, newer.data
        ranges = zip(pairwise(self.starts), pairwise(newer.starts), strict=True)
        return self._of_buckets([mine[a:b] + others[c:d] for (a, b), (c, d) in ranges])


@dataclass(frozen=True, slots=True)
class Sealed:
    """The fingerprints of all claims of one part whose entries have the indexes from `first_index` to `end_index`,
    without it."""

    part: int
    first_index: int
    end_index: int
    fingerprints: Fingerprints

    @property
    def sha256(self) -> bytes:
        return hash_of(self.part, self.first_index, self.end_index, self.fingerprints.data)

    def merged(self, newer: Sealed) -> Sealed:
        """This and the range behind it."""
        return Sealed(self.part, self.first_index, newer.end_index, self.fingerprints.merged(newer.fingerprints))


def hash_of(part: int, first_index: int, end_index: int, data: bytes) -> bytes:
    """The hash of a place and its fingerprints: in another place they have another one."""
    digest = sha256(_RANGE.pack(part, first_index, end_index))
    digest.update(data)
    return digest.digest()


def merged_at_the_end(sealed: Sequence[Sealed], run_entries: int) -> list[Sealed]:
    """Consecutive ranges of a part, the last of which may be new, with those merged at the end that are about as long.

    Lengths are compared as powers of `MERGE_RATIO` runs. So a look-up searches two ranges up to two billion entries,
    and three up to 68 billion; a claim is written about 16 times for each of them.
    """
    *older, last = sealed
    while older and _size(older[-1], run_entries) <= _size(last, run_entries):
        last = older.pop().merged(last)
    return [*older, last]


def _size(sealed: Sealed, run_entries: int) -> int:
    runs, size = (sealed.end_index - sealed.first_index) // run_entries, 0
    while runs >= MERGE_RATIO:
        runs, size = runs // MERGE_RATIO, size + 1
    return size
