"""One table has the exit codes; an error takes that of its most specific class."""

from __future__ import annotations

import subprocess
import sys

from pydantic import ValidationError

from consumers.audit.export import ExportExists
from consumers.audit.kept import ForkedLog
from consumers.audit.port import NoVerifier
from consumers.audit.tree import WrongTree
from consumers.pipeline.pipeline import OLD_RULES_EXIT
from consumers.rebuild.rebuild import AlreadyRunning
from consumers.registrar.topic_admin import NotReleased
from events.errors import Halt, Reject, Retry, Tampered, YesserError
from infra.addresses import NotAnAddress
from infra.command_line.exit_codes import CODES, MEANINGS, ExitCode, class_names, exit_code
from infra.errors import WaitTimedOut
from infra.kafka.client_config import NoKafka
from infra.keys.second_person import NotASandbox
from infra.log.signed_note import InvalidKey, InvalidNote, OtherKey
from infra.postgres.connection import NoDatabase
from producers.sdk.problems import NotGenuine
from tests.every import every


@every(
    ("error", "code"),
    [
        (YesserError("no"), ExitCode.ANSWER_IS_NO),
        (Reject("no"), ExitCode.ANSWER_IS_NO),
        (Halt("no"), ExitCode.ANSWER_IS_NO),
        (Retry("later"), ExitCode.TRY_AGAIN),
        (WaitTimedOut("later"), ExitCode.TRY_AGAIN),
        (NotReleased("later"), ExitCode.TRY_AGAIN),
        (AlreadyRunning("later"), ExitCode.TRY_AGAIN),
        (NoDatabase("away"), ExitCode.TRY_AGAIN),
        (NoKafka("away"), ExitCode.TRY_AGAIN),
        (ConnectionRefusedError("away"), ExitCode.TRY_AGAIN),
        (Tampered("changed"), ExitCode.TAMPERED),
        (WrongTree("changed"), ExitCode.TAMPERED),
        (ForkedLog("two histories"), ExitCode.TAMPERED),
        (NotGenuine("forged"), ExitCode.TAMPERED),
        (InvalidNote("not signed"), ExitCode.TAMPERED),
        (OtherKey("of the log"), ExitCode.ANSWER_IS_NO),
        (InvalidKey("a file is gone"), ExitCode.ANSWER_IS_NO),
        (NoVerifier("no key"), ExitCode.WRONG_USE),
        (ExportExists("not empty"), ExitCode.WRONG_USE),
    ],
)
def test_an_error_ends_with_the_code_of_its_nearest_class(error: Exception, code: ExitCode) -> None:
    assert exit_code(error) is code


def test_every_class_in_the_table_exists() -> None:
    ours = (YesserError, Retry, Tampered, ExportExists, NoVerifier, InvalidNote, NoDatabase, NoKafka, NotAnAddress)
    classes = (*ours, NotASandbox, ValidationError, ModuleNotFoundError)
    known = {f"{kind.__module__.partition('.')[0]}.{kind.__name__}" for kind in classes}
    assert set(CODES) == known


def test_every_code_has_a_meaning() -> None:
    assert set(MEANINGS) == set(ExitCode)


def test_class_names_begin_with_the_most_specific_one() -> None:
    assert class_names(WaitTimedOut("x"))[:3] == ["infra.WaitTimedOut", "events.Retry", "events.YesserError"]


def test_the_table_imports_nothing_heavy() -> None:
    script = "import sys, infra.command_line.exit_codes; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not {"aiokafka", "asyncpg", "pydantic", "click"} & set(done.stdout.split())


def test_codes_are_the_ones_of_the_contract() -> None:
    assert [int(code) for code in ExitCode] == [0, 1, 2, 70, 75, 76, OLD_RULES_EXIT, 130]
    assert OLD_RULES_EXIT == 78
