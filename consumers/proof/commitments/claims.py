"""The commitments in the log: what the platform said of a read model at an index, and whether that is right."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from consumers.documents.log.commitments import Claim, Status
from consumers.replay.fold.consumer import Consumer
from consumers.replay.fold.table_hash import TableHash
from consumers.replay.fold.version import FoldVersion
from events.wire.entry import TYPE_PREFIX, TYPE_SUFFIX, Entry, parse_entry
from infra.postgres.outbox import PLATFORM

TYPE: Final = "projection.committed"
ACKNOWLEDGED: Final = "projection.commitment-acknowledged"
_TYPE_TEXTS: Final = tuple(f'"{TYPE_PREFIX}{name}{TYPE_SUFFIX}"'.encode() for name in (TYPE, ACKNOWLEDGED))
"""Part of the bytes of each; entries without them are not parsed."""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """An operator knows that the commitment at `commitment_index` is wrong. It is the entry `index` of the log."""

    index: int
    name: str
    commitment_index: int
    reason: dict[str, str]

    def is_of(self, claim: Claim) -> bool:
        return (self.name, self.commitment_index) == (claim.name, claim.index) and self.index > claim.index


@dataclass(frozen=True, slots=True)
class RowsVersion:
    """The version of a consumer's live rows. Entries before `folds_from` were applied by an earlier one."""

    version: FoldVersion
    folds_from: int


def status_of(
    claim: Claim,
    found: TableHash | None,
    own: FoldVersion | None = None,
    live: RowsVersion | None = None,
    acknowledgements: Iterable[Acknowledgement] = (),
) -> Status:
    """`found` is what a fold of version `own` gives (None: there is no such read model or state).

    The log's keys have no version.
    """
    if found is not None and (found.rows, found.sha256) == (claim.rows, claim.sha256):
        return Status.MATCHES
    if own is not None and _is_of_another_version(claim, own, live):
        return Status.EARLIER_VERSION
    return Status.ACKNOWLEDGED if any(one.is_of(claim) for one in acknowledgements) else Status.WRONG


def _is_of_another_version(claim: Claim, own: FoldVersion, live: RowsVersion | None) -> bool:
    """Whether the commitment cannot be compared with a fold of version `own`.

    One of the same version always can. So can one of a state that the live rows of this version went through, whatever
    it says of itself: nothing of another version could have made it.
    """
    if claim.fold_version == own.label or not claim.is_possible:
        return False
    if live is None:
        return claim.fold_version is not None
    return live.version != own or claim.log_index <= live.folds_from


def read_model_name(consumer: Consumer, table: str) -> str:
    """A table's name in commitments, with its consumer, because consumers share table names."""
    return f"{consumer.name}.{table}"


def consumer_name(read_model: str) -> str:
    """The consumer of a read model, by its name in commitments."""
    return read_model.partition(".")[0]


def said_among(first: int, entries: Iterable[bytes]) -> Iterator[Claim | Acknowledgement]:
    """The commitments, and what was acknowledged of them, among consecutive entries from index `first` on."""
    for index, raw in enumerate(entries, first):
        if any(text in raw for text in _TYPE_TEXTS):
            said = _said(parse_entry(index, raw))
            if said is not None:
                yield said


def _said(entry: Entry) -> Claim | Acknowledgement | None:
    data = entry.data
    if (entry.type, entry.agency) == (TYPE, PLATFORM):
        return Claim(
            entry.index, data["name"], data["log_index"], data["rows"], data["sha256"], data.get("fold_version")
        )
    if (entry.type, entry.agency) == (ACKNOWLEDGED, PLATFORM):
        return Acknowledgement(entry.index, data["name"], data["commitment_index"], data["reason"])
    return None


def sorted_out(said: Iterable[Claim | Acknowledgement]) -> tuple[list[Claim], list[Acknowledgement]]:
    """The commitments and the acknowledgements, each in log order."""
    every = list(said)
    claims = [one for one in every if isinstance(one, Claim)]
    return claims, [one for one in every if isinstance(one, Acknowledgement)]


def newest(claims: Sequence[Claim], per_read_model: int) -> list[Claim]:
    """The last `per_read_model` of each read model, in log order."""
    last_claims: list[Claim] = []
    seen: dict[str, int] = {}
    for claim in reversed(claims):
        seen[claim.name] = seen.get(claim.name, 0) + 1
        if seen[claim.name] <= per_read_model:
            last_claims.append(claim)
    return last_claims[::-1]
