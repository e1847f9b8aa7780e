"""How a request is answered with no."""

from __future__ import annotations

import pytest

from infra.http.problems import (
    EXPLANATIONS,
    REQUEST_CODES,
    Language,
    Problem,
    RequestCode,
    language_of,
    problem_document,
)
from tests.every import every


@every(
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


def test_an_unknown_outcome_says_so() -> None:
    document = problem_document(Problem("outcome-unknown"), "en")
    assert (document["status"], document["outcome"]) == (504, "unknown")


def test_a_wait_is_told_in_its_header() -> None:
    assert Problem("too-many-requests", retry_after_s=3).headers == {"Retry-After": "3"}


@pytest.mark.parametrize("code", ["database-away", "gateway-fault"])
def test_what_answers_a_question_too_does_not_speak_of_events_as_sent(code: RequestCode) -> None:
    """A reader of the plan has sent nothing."""
    detail = EXPLANATIONS[code].detail
    assert not detail.en.startswith("Nothing was stored")
    assert "the same events" not in detail.en
    assert "الأحداث نفسها" not in detail.ar


def test_an_unknown_sender_reads_in_both_languages_what_may_be_wrong_with_the_token() -> None:
    detail = EXPLANATIONS["unauthenticated"].detail
    assert "wrong, expired or revoked" in detail.en
    assert "خطأ أو منتهيًا أو ملغى" in detail.ar
