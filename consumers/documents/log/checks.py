"""What a check of the whole log, or of all read models, found."""

from __future__ import annotations

from msgspec import Struct

from consumers.documents.document import Count
from consumers.documents.log.commitments import Status


class ComparedModel(Struct, frozen=True, kw_only=True):
    """Its rows that differ, and the first entry that they follow from."""

    name: str
    differing: Count
    first_index: Count | None
    log_index: Count


class ComparedCommitment(Struct, frozen=True, kw_only=True):
    name: str
    index: Count
    log_index: Count
    status: Status
    ok: bool


class CheckResult(Struct, frozen=True, kw_only=True):
    """`ok` is None where the check could not be finished. `index`: the entry that was changed, where it is known."""

    ok: bool | None
    reason: str = ""
    index: Count | None = None
    size: Count = 0
    root: str = ""
    models: tuple[ComparedModel, ...] = ()
    commitments: tuple[ComparedCommitment, ...] = ()
