"""What the gateway says when it says no."""

from __future__ import annotations

import pytest

from events.problems import CODES, Fault, fault
from infra.http.problems import EXPLANATIONS, REQUEST_CODES, Language, Problem, language_of, problem_document
from producers.gateway.problems import ERRORS_MAX, EventFaults, Refusal, refusal_document

MISSING = fault("missing-field", "/data", "This field is required.")
TOO_LARGE = fault("too-large", "", "The event has more than 61,440 bytes.")


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("ar", "ar"),
        ("ar-SA,ar;q=0.9,en;q=0.8", "ar"),
        ("en, ar;q=0.5", "en"),
        ("fr, ar;q=0.1", "ar"),
        ("*", "en"),
        ("ar;q=0", "en"),
        ("ar;q=much", "en"),
        ("en;q=0.1, ar;q=0.2", "ar"),
    ],
)
def test_the_language_is_the_one_that_is_preferred(header: str | None, language: Language) -> None:
    assert language_of(header) == language


def test_every_code_of_a_request_is_explained() -> None:
    assert set(EXPLANATIONS) == set(REQUEST_CODES)


def test_codes_of_requests_and_of_events_are_different() -> None:
    assert not set(REQUEST_CODES) & set(CODES)


def test_a_batchs_pointers_lead_to_the_event() -> None:
    refusal = Refusal([EventFaults(3, (MISSING,), "x-1")], batched=True)
    document = refusal_document(refusal, "en")
    assert (document["type"], document["status"]) == ("/problems/missing-field", 422)
    assert document["errors"] == [
        {"code": "missing-field", "pointer": "/3/data", "detail": "This field is required.", "event": 3, "id": "x-1"}
    ]


def test_a_single_events_pointer_is_the_events_own_and_its_sentence_is_in_the_language() -> None:
    document = refusal_document(Refusal([EventFaults(0, (MISSING,))], batched=False), "ar")
    assert document["errors"] == [{"code": "missing-field", "pointer": "/data", "detail": "هذا الحقل مطلوب."}]


def test_only_a_single_event_that_is_too_large_is_413() -> None:
    assert Refusal([EventFaults(0, (TOO_LARGE,))], batched=False).status == 413
    assert Refusal([EventFaults(0, (TOO_LARGE,))], batched=True).status == 422


def test_endless_faults_are_counted_not_listed() -> None:
    faults: tuple[Fault, ...] = (MISSING,) * (ERRORS_MAX + 7)
    document = refusal_document(Refusal([EventFaults(0, faults)], batched=False), "en")
    assert (len(document["errors"]), document["unlisted"]) == (ERRORS_MAX, 7)


def test_an_unknown_outcome_says_so() -> None:
    document = problem_document(Problem("outcome-unknown"), "en")
    assert (document["status"], document["outcome"]) == (504, "unknown")


def test_a_wait_is_told_in_its_header() -> None:
    assert Problem("too-many-requests", retry_after_s=3).headers == {"Retry-After": "3"}
