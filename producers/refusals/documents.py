"""Refused records as commands print them, from the database or from a gateway."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypedDict, cast

from msgspec import UNSET, Struct, UnsetType

from events.errors import YesserError
from events.faults.details import arabic_of
from events.faults.problems import PROBLEMS, Code
from events.values.bilingual import Bilingual

State = Literal["registered", "duplicate", "refused", "not-sent"]


class NoSuchRefusal(YesserError):
    """There is no refusal at this index: see `yesser refusals list`."""


NOT_KEPT: Final = Bilingual(
    "فيه بيانات شخصية، أو مُحي، أو مضت مدة حفظه (YESSER_REFUSED_KEEP_DAYS)",
    "it had personal data, was erased, or is older than such records are kept (YESSER_REFUSED_KEEP_DAYS)",
)
"""Why a refusal has no record."""


class LoggedFault(TypedDict):
    """A fault as the log lists it."""

    code: str
    pointer: str
    detail: str


class ExplainedFault(LoggedFault, total=False):
    """A fault with its Arabic sentence and its remedy, which a gateway leaves to its reader."""

    detail_ar: str
    remedy: dict[str, str]


class RefusalRow(Struct):
    """A refusal in a list; `accepted_index` is the entry that corrected it."""

    index: int
    agency: str
    address: str
    claimed_id: str | None
    claimed_type: str | None
    errors: list[LoggedFault]
    accepted_index: int | None


class Redrive(Struct):
    """A record that was sent again, and the entry that accepted it."""

    id: str
    sent_at: str
    accepted_index: int | None


class Correction(Struct):
    """The entry that corrected a refused record, and how it was found."""

    index: int
    by: Literal["redrive", "same-id"]


class RefusalDocument(Struct, kw_only=True):
    """The answer of `yesser refusals show --json`. `id_held_by` had the id before. Only the operator's has `kept`, the
    `headers` and who sent what again."""

    index: int
    recorded: str
    agency: str
    address: str
    sha256: str | None
    claimed_id: str | None
    claimed_type: str | None
    errors: list[ExplainedFault]
    unlisted: int
    kept: bool | UnsetType = UNSET
    headers: dict[str, str | None] | UnsetType = UNSET
    redrives: list[Redrive] | UnsetType = UNSET
    accepted: Correction | None
    id_held_by: int | None


class CannotRedrive(YesserError):
    """This refused record cannot be sent again; the message gives the reason."""


@dataclass(frozen=True, slots=True)
class Redriven:
    """The answer of `yesser refusals redrive --json`.

    `index` is that of its entry, of a duplicate's first entry, of the new refusal, or of a conflict.
    """

    refusal_index: int
    id: str | None
    state: State
    index: int | None = None
    errors: list[ExplainedFault] = field(default_factory=list)


def in_both_languages(errors: Sequence[Mapping[str, Any]]) -> list[ExplainedFault]:
    """Faults with their Arabic sentence and their remedy."""
    rows = []
    for error in errors:
        remedy = PROBLEMS[cast(Code, error["code"])].remedy
        row = {**error, "detail_ar": arabic_of(error["detail"]), "remedy": {"ar": remedy.ar, "en": remedy.en}}
        rows.append(cast(ExplainedFault, row))
    return rows
