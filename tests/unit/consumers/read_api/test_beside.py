"""What a failed command says to a request: a changed entry is named, everything else is a fault or away."""

from __future__ import annotations

import pytest

from consumers.read_api.beside import Finished
from infra.command_line.exit_codes import ExitCode
from infra.http.problems import Problem, problem_document
from infra.log.reader import ChangedEntry


def said(exit_code: int, errors: str) -> Problem:
    return Finished(("ledger", "forecast"), exit_code, b"", errors).problem()


def test_a_changed_entry_is_named_in_the_callers_language_and_nothing_of_the_commands_own_words() -> None:
    problem = said(ExitCode.TAMPERED, f"2026-11-01 a line of its log\nyesser: {ChangedEntry(7, 'another hash')}\n")
    assert (problem.code, problem.status) == ("gateway-fault", 500)
    (row,) = problem.errors
    assert (row["code"], row["id"]) == ("changed-entry", "7")
    english, arabic = (problem_document(problem, language)["errors"][0]["detail"] for language in ("en", "ar"))
    assert english.startswith("Entry 7 of the log was changed after it was registered")
    assert "القيد 7" in arabic
    for text in (english, arabic):
        assert "yesser:" not in text
        assert "a line of its log" not in text
    (unnamed,) = said(ExitCode.TAMPERED, "no proof").errors
    assert (unnamed["code"], "id" in unnamed) == ("changed-entry", False)


@pytest.mark.parametrize(
    ("exit_code", "code"), [(ExitCode.TRY_AGAIN, "database-away"), (ExitCode.BUG, "gateway-fault")]
)
def test_other_failures_have_no_errors(exit_code: int, code: str) -> None:
    problem = said(exit_code, "yesser: no")
    assert (problem.code, list(problem.errors)) == (code, [])
