"""How a request is answered with no."""

from __future__ import annotations

from events.values.bilingual import Language
from infra.http.problems import EXPLANATIONS, REQUEST_CODES, Problem, language_of, problem_document
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


def test_every_code_is_explained_an_unknown_outcome_says_so_and_a_wait_is_told_in_its_header() -> None:
    assert set(EXPLANATIONS) == set(REQUEST_CODES)
    document = problem_document(Problem("outcome-unknown"), "en")
    assert (document["status"], document["outcome"]) == (504, "unknown")
    assert Problem("too-many-requests", retry_after_s=3).headers == {"Retry-After": "3"}
