"""One table has the exit codes; an error takes that of its most specific class."""

from __future__ import annotations

from pydantic import ValidationError

from consumers.proof.audit.export import ExportExists
from consumers.proof.audit.pinned_checkpoint import ForkedLog
from consumers.registrar.topics.topic_admin import NotReleased
from consumers.replay.pipeline.pipeline import OLD_RULES_EXIT
from consumers.replay.rebuild.rebuild import AlreadyRunning
from events.errors import Halt, Reject, Retry, Tampered, YesserError
from infra.addresses import NotAnAddress
from infra.command_line.exit_codes import CODES, MEANINGS, ExitCode, exit_code
from infra.errors import WaitTimedOut
from infra.kafka.client_config import NoKafka
from infra.keys.second_person import NotASandbox
from infra.log.ports.tree import WrongTree
from infra.log.signed_note import InvalidKey, InvalidNote, OtherKey
from infra.postgres.connection import NoDatabase
from infra.private_keys.key_files import NoVerifier
from producers.sdk.problems import NotGenuine
from tests.every import every


@every(
    ("code", "errors"),
    [
        (ExitCode.ANSWER_IS_NO, [YesserError("no"), Reject("no"), Halt("no"), OtherKey("other"), InvalidKey("gone")]),
        (ExitCode.TRY_AGAIN, [Retry("later"), WaitTimedOut("later"), NotReleased("later"), AlreadyRunning("later")]),
        (ExitCode.TRY_AGAIN, [NoDatabase("away"), NoKafka("away"), ConnectionRefusedError("away")]),
        (ExitCode.TAMPERED, [Tampered("changed"), WrongTree("changed"), ForkedLog("two histories")]),
        (ExitCode.TAMPERED, [NotGenuine("forged"), InvalidNote("not signed")]),
        (ExitCode.WRONG_USE, [NoVerifier("no key"), ExportExists("not empty")]),
    ],
)
def test_an_error_ends_with_the_code_of_its_nearest_class(code: ExitCode, errors: list[Exception]) -> None:
    assert [(error, exit_code(error)) for error in errors] == [(error, code) for error in errors]


def test_every_class_and_every_code_of_the_table_exists_and_codes_are_the_contracts() -> None:
    ours = (YesserError, Retry, Tampered, ExportExists, NoVerifier, InvalidNote, NoDatabase, NoKafka, NotAnAddress)
    classes = (*ours, NotASandbox, ValidationError, ModuleNotFoundError)
    assert set(CODES) == {f"{kind.__module__.partition('.')[0]}.{kind.__name__}" for kind in classes}
    assert set(MEANINGS) == set(ExitCode)
    assert [int(code) for code in ExitCode] == [0, 1, 2, 70, 75, 76, OLD_RULES_EXIT, 130]
    assert OLD_RULES_EXIT == 78
