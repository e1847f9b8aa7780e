"""What a failed command says to a request: a changed entry is named, everything else is a fault or away."""

from __future__ import annotations

import pytest

from consumers.read_api.beside import Finished
from infra.command_line.exit_codes import ExitCode
from infra.http.problems import Problem
from infra.log.reader import ChangedEntry


def said(exit_code: int, errors: str) -> Problem:
    return Finished(("ledger", "forecast"), exit_code, b"", errors).problem()


def test_a_changed_entry_is_named() -> None:
    reason = f"yesser: {ChangedEntry(7, 'another hash')}"
    problem = said(ExitCode.TAMPERED, reason + "\n")
    assert (problem.code, problem.status) == ("gateway-fault", 500)
    assert problem.errors == [{"code": "changed-entry", "detail": reason, "id": "7"}]
    assert said(ExitCode.TAMPERED, "no proof").errors == [{"code": "changed-entry", "detail": "no proof"}]


@pytest.mark.parametrize(
    ("exit_code", "code"), [(ExitCode.TRY_AGAIN, "database-away"), (ExitCode.BUG, "gateway-fault")]
)
def test_other_failures_have_no_errors(exit_code: int, code: str) -> None:
    problem = said(exit_code, "yesser: no")
    assert (problem.code, list(problem.errors)) == (code, [])
