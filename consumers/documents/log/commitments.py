"""Commitments: the hashes of read models that the platform wrote into the log (events.md §2); and what a check of the
whole log, or of all read models, found.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

from msgspec import Struct

from consumers.documents.document import Count, Label, Labelled
from events.values.bilingual import Bilingual

NO_COMMITMENT: Final = Bilingual(
    "لا بصمة منشورة في السجل بعد، فلم يُقارن شيء بها. ينشرها `yesser commit`.",
    "The log has no commitment yet, so nothing was compared with one. `yesser commit` makes them.",
)


class Status(Labelled):
    """What is known of a commitment. Only `WRONG` is an alarm."""

    MATCHES = "matches", "مطابق", "Equal", "good"
    EARLIER_VERSION = "earlier-version", "من إصدار سابق، ولا تُقارن", "Of an earlier version, not compared", "quiet"
    ACKNOWLEDGED = "acknowledged", "مختلف، وأُخذ العلم به", "Differs, acknowledged", "quiet"
    WRONG = "wrong", "مختلف", "Differs", "bad"


class Claim(Struct, frozen=True):
    """The commitment at `index`: after `log_index` entries the read model `name` had this hash.

    `fold_version` is that of its rows; None in commitments of earlier releases and to the log's keys.
    """

    READ_FIRST: ClassVar = ("name",)

    index: Annotated[Count, Label("القيد", "Entry")]
    name: Annotated[str, Label("نموذج القراءة", "Read model")]
    log_index: Annotated[Count, Label("بعد كم قيد", "After entries")]
    rows: Annotated[Count, Label("الصفوف", "Rows")]
    sha256: Annotated[str, Label("البصمة", "SHA-256", drop=1)]
    fold_version: str | None

    @property
    def is_possible(self) -> bool:
        """Nothing can be committed to a state after its own entry."""
        return self.log_index <= self.index


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
