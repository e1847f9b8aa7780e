"""The hostile records, and the verdict of the contract on each, as the oracle gives it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tests.hostile import Case, cases
from tests.oracle.validation import Agency, Registrar

Pairs = list[tuple[str, str]]
"""Codes and pointers."""

TYPES: Final = frozenset({"partnership.signed", "awareness.initiative-announced", "service.launched"})
"""The types with the most lists, objects and texts; the others have the same places."""
SMALL: Final = 3_500
LARGE: Final = 60_000
SILENT: Final = ("NUL", "surrogates", "huge", "services with ten digits", "open brackets")
"""Where the contract leaves open which further faults are listed. Decided there: NUL, surrogates and huge integers are
faults below unknown names and in values of another kind too; ids that look personal disturb no rule; what never closes
is too deep."""
SILENT_WHEN_LARGE: Final = ("70 members",)


def corpus(size: int) -> list[Case]:
    return list(cases(size, types=TYPES))


def is_open(case: Case) -> bool:
    """Whether the contract leaves open which faults of this record are listed."""
    words = SILENT if len(case.value) < LARGE // 2 else SILENT + SILENT_WHEN_LARGE
    return any(word in case.name for word in words)


def faults_by_case(found: Iterable[Case]) -> dict[str, Pairs]:
    """Case → its faults; each by itself, none if it is accepted."""
    return {case.name: sorted(_registrar(case).judge_record(1, case.value, case.headers).faults) for case in found}


def faults_in_order(found: Iterable[Case]) -> list[tuple[Case, str, Pairs]]:
    """Each record of one agency's topic with the kind of its verdict and its faults; ids are remembered."""
    registrar, verdicts = None, []
    for number, case in enumerate(found):
        registrar = registrar or _registrar(case)
        verdict = registrar.judge_record(number, case.value, case.headers)
        verdicts.append((case, verdict.kind, sorted(verdict.faults)))
    return verdicts


def _registrar(case: Case) -> Registrar:
    return Registrar(Agency(case.agency.code, case.agency.role))
