"""Refused records as commands print them, from the database or from a gateway."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal, cast

from msgspec import UNSET, Struct, UnsetType

from events.errors import YesserError
from events.faults.details import arabic_of
from events.faults.problems import PROBLEMS, Code
from events.values.bilingual import Bilingual
from infra.json_documents import members
from infra.log.refusals.documents import Fault, RefusalInFull

State = Literal["registered", "duplicate", "refused", "not-sent"]


class NoSuchRefusal(YesserError):
    """There is no refusal at this index: see `yesser refusals list`."""


NOT_KEPT: Final = Bilingual(
    "فيه بيانات شخصية، أو مُحي، أو مضت مدة حفظه (YESSER_REFUSED_KEEP_DAYS)",
    "it had personal data, was erased, or is older than such records are kept (YESSER_REFUSED_KEEP_DAYS)",
)
"""Why a refusal has no record."""


class ExplainedFault(Fault, frozen=True, kw_only=True):
    """A fault with its Arabic sentence and its remedy, which a code of a later release lacks."""

    detail_ar: str
    remedy: dict[str, str] | UnsetType = UNSET


class Redrive(Struct):
    """A record that was sent again, and the entry that accepted it."""

    id: str
    sent_at: str
    accepted_index: int | None


class RefusalDocument(RefusalInFull, frozen=True, kw_only=True):
    """The answer of `yesser refusals show --json`. Only the operator's has `kept`, the `headers` and who sent what
    again."""

    errors: tuple[ExplainedFault, ...]
    kept: bool | UnsetType = UNSET
    headers: dict[str, str | None] | UnsetType = UNSET
    redrives: list[Redrive] | UnsetType = UNSET


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


def document_of(refusal: RefusalInFull, **operators: Any) -> RefusalDocument:
    """As the command prints it; `operators`: what only the operator may read."""
    return RefusalDocument(**{**members(refusal), "errors": tuple(map(explained, refusal.errors)), **operators})


def explained(fault: Fault) -> ExplainedFault:
    """A fault with its Arabic sentence and its remedy."""
    known = PROBLEMS.get(cast(Code, fault.code))
    return ExplainedFault(
        code=fault.code,
        detail=fault.detail,
        pointer=fault.pointer,
        detail_ar=arabic_of(fault.detail),
        remedy=UNSET if known is None else {"ar": known.remedy.ar, "en": known.remedy.en},
    )
