"""The exit codes of `yesser audit commitments`."""

from __future__ import annotations

from unittest.mock import AsyncMock

import pytest
from click.testing import CliRunner

from consumers.proof.commands import audit_command
from consumers.proof.commitments import commands
from infra.command_line.exit_codes import ExitCode, exit_code
from infra.log.ports.port import NotThere
from infra.log.ports.tree import WrongTree
from tests.every import every


@every(
    ("is_true", "tree", "code"),
    [
        (True, WrongTree(), ExitCode.OK),
        (False, None, ExitCode.ANSWER_IS_NO),
        (False, NotThere("nothing was signed yet"), ExitCode.ANSWER_IS_NO),
        (False, WrongTree(), ExitCode.TAMPERED),
    ],
)
def test_a_false_commitment_says_tampering_only_where_the_log_is_not_what_was_signed(
    is_true: bool, tree: Exception | None, code: ExitCode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "commitments_checked", lambda *_, **__: is_true)
    monkeypatch.setattr(audit_command, "audit_source", lambda *_: None)
    monkeypatch.setattr(audit_command, "proven", AsyncMock(side_effect=tree))
    result = CliRunner().invoke(audit_command.audit, ["commitments"])
    ended = result.exception
    assert (exit_code(ended) if isinstance(ended, WrongTree) else result.exit_code) == code
