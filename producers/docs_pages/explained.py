"""Every code that validation or the gateway can answer with, as its page explains it."""

from __future__ import annotations

from dataclasses import dataclass

from events.faults.details import arabic_of
from events.faults.problems import PROBLEMS, Bilingual, Code, Fault
from events.schema_tools.refusal_examples import REFUSAL_EXAMPLES, faults_of
from infra.http.problems import EXPLANATIONS, RequestCode


@dataclass(frozen=True, slots=True)
class ShownFault:
    """One row of `errors`."""

    code: str
    pointer: str
    detail: Bilingual


@dataclass(frozen=True, slots=True)
class Explained:
    """`status` is set for a request's problem; `cause`, `wrong`, `right` and `faults` for an event's."""

    code: str
    title: Bilingual
    remedy: Bilingual
    status: int | None = None
    cause: Bilingual | None = None
    wrong: str = ""
    right: str = ""
    faults: tuple[ShownFault, ...] = ()


def of_event(code: Code) -> Explained:
    example = REFUSAL_EXAMPLES[code]
    return Explained(
        code,
        PROBLEMS[code].title,
        PROBLEMS[code].remedy,
        cause=example.cause,
        wrong=example.wrong_text,
        right=example.right,
        faults=tuple(_shown(fault) for fault in faults_of(code)),
    )


def of_request(code: RequestCode) -> Explained:
    explanation = EXPLANATIONS[code]
    return Explained(code, explanation.title, explanation.detail, explanation.status)


def _shown(fault: Fault) -> ShownFault:
    return ShownFault(fault.code, fault.pointer, Bilingual(arabic_of(fault.detail), fault.detail))
