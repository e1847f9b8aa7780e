"""The claims of a log, as far as memory has them: which of some claims may be in the log.

A claim that was added is always possible; others are by chance. Claims of recent entries are bits: one for each value
of a claim's first 28 bits, 32 MiB. Older ones are sealed fingerprints. What neither has is new.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from struct import iter_unpack
from typing import Final

from consumers.registrar.claims.fingerprints import PARTS, Fingerprints, Sealed, bucket_of

RUN_ENTRIES: Final = 1 << 21
"""Entries that are sealed at once: a new owner reads their claims in about 2 s, and their bits are 0.8 % of all."""
_BYTES: Final = 1 << 25
_CLAIM: Final = ">I12x"
_PREFIX: Final = ">I2x"


class _Recent:
    """Claims as bits: those of entries below `end_index`."""

    def __init__(self) -> None:
        self.bits = bytearray(_BYTES)
        self.claims_count = 0
        self.end_index = 0

    def add(self, prefixes: Iterable[tuple[int]], claims_count: int, end_index: int) -> None:
        bits = self.bits
        for (prefix,) in prefixes:
            bits[prefix >> 7] |= 1 << (prefix >> 4 & 7)
        self.claims_count += claims_count
        self.end_index = max(self.end_index, end_index)


class ClaimFilter:
    """The claims from `recent_from` on are recent. Each part is sealed up to an end; where that is lower, or nothing is
    known yet (`recent_from` is None), all claims of the part are possible."""

    def __init__(self, run_entries: int = RUN_ENTRIES) -> None:
        self.run_entries = run_entries
        self.recent_from: int | None = None
        self._collects = False
        self._recent: list[_Recent] = []
        self._sealed: list[list[Sealed]] = [[] for _ in range(PARTS)]
        self._searched: list[list[Fingerprints] | None] = [None] * PARTS

    def collect(self) -> None:
        """Keep the claims that are added from now on."""
        self._collects = True

    def add(self, claims: Sequence[bytes], end_index: int) -> None:
        """Add claims of entries below `end_index`."""
        if claims and self._collects:
            self._newest().add(iter_unpack(_CLAIM, b"".join(claims)), len(claims), end_index)

    def add_prefixes(self, prefixes: bytes, claims_count: int, end_index: int) -> None:
        """The same of claims that are given as their first 6 bytes, concatenated."""
        self._newest().add(iter_unpack(_PREFIX, prefixes), claims_count, end_index)

    def _newest(self) -> _Recent:
        if not self._recent or self._recent[-1].claims_count >= self.run_entries:
            self._recent.append(_Recent())
        return self._recent[-1]

    def possible(self, claims: Sequence[bytes]) -> list[bytes]:
        """Those of `claims` that may be in the log."""
        recent, searched = [part.bits for part in self._recent], self._searched
        found = []
        for claim, (prefix,) in zip(claims, iter_unpack(_CLAIM, b"".join(claims)), strict=True):
            at, bit = prefix >> 7, 1 << (prefix >> 4 & 7)
            for bits in recent:
                if bits[at] & bit:
                    found.append(claim)
                    break
            else:
                sealed = searched[prefix >> 24]
                if not sealed:
                    if sealed is None:
                        found.append(claim)
                    continue
                bucket, fingerprint = bucket_of(prefix), claim[4:6]
                for fingerprints in sealed:
                    starts = fingerprints.starts
                    # Nearly always nothing: this is `may_hold` without a call.
                    if fingerprints.data.find(fingerprint, starts[bucket], starts[bucket + 1]) < 0:
                        continue
                    if fingerprints.may_hold(bucket, fingerprint):
                        found.append(claim)
                        break
        return found

    def sealed(self, part: int) -> Sequence[Sealed]:
        return self._sealed[part]

    def ends(self) -> list[int]:
        """For each part the index up to which its claims are sealed."""
        return [sealed[-1].end_index if sealed else 0 for sealed in self._sealed]

    def seal(self, part: int, sealed: Sequence[Sealed]) -> None:
        """Take the sealed ranges of a part, in their order from index 0, in the place of those before."""
        self._sealed[part] = list(sealed)
        self._look_up(part)

    def begin_recent(self, index: int) -> None:
        """All claims from this index on have been added."""
        self.recent_from = index
        for part in range(PARTS):
            self._look_up(part)

    def drop_recent(self) -> None:
        """Forget recent claims that are sealed in each part that has kept up."""
        assert self.recent_from is not None
        end = min(end for end in self.ends() if end >= self.recent_from)
        while len(self._recent) > 1 and self._recent[0].end_index <= end:
            self.begin_recent(max(self.recent_from, self._recent.pop(0).end_index))

    def forget(self) -> None:
        """Forget everything: all claims are possible."""
        self.recent_from, self._collects, self._recent = None, False, []
        for part in range(PARTS):
            self.seal(part, [])

    def _look_up(self, part: int) -> None:
        sealed, begin = self._sealed[part], self.recent_from
        end = sealed[-1].end_index if sealed else 0
        is_known = begin is not None and end >= begin
        self._searched[part] = [s.fingerprints for s in sealed] if is_known else None
