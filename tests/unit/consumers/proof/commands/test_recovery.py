"""The output of `yesser recover`: the recovered entries, the records that topics lack, and unavailable services."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from aiokafka.errors import SaslAuthenticationFailed
from asyncpg import InvalidPasswordError
from click.testing import CliRunner
from msgspec.structs import asdict

from consumers.documents.log.commitments import Claim
from consumers.proof.commands import recovery
from consumers.proof.commands.recovery import NoAccessRecord, folder_texts, recover_command
from consumers.registrar.recovery.recover import Recovered
from consumers.registrar.recovery.restored import Lacking
from events.errors import Retry
from infra.cli import foreseen
from infra.keys.access_changes import Reapplied
from infra.postgres.connection import NoPassword
from tests.every import every
from tests.unit.consumers.proof.audit.exports import export_of
from tests.world.logs_with_texts import LogWithTexts, service_suspended

FOUND = Recovered(7, 11, bytes(32), {"agency.b.events": Lacking(3, 1)}, {"agency.b.events": "the record is gone"}, 0)
ACCESS = Reapplied(revoked=["abcdefghij"], missing=["account press", "token klmnopqrst"], sessions_ended=2)


def run(monkeypatch: pytest.MonkeyPatch, *options: str) -> str:
    async def found(*_: object, texts: object, unsigned: bool, permit: object) -> Recovered:
        assert unsigned is (permit is not None) is ("--accept-unsigned" in options)
        return FOUND

    monkeypatch.setattr(recovery, "recover", found)
    lost = Claim(9, "trail", 8, 5, "00" * 32, None)
    answers = {"recover access": ACCESS, "recover": object(), "recover trail": [lost]}
    monkeypatch.setattr(recovery, "with_database", lambda _, application, __: answers[application])
    monkeypatch.setattr(recovery, "acknowledged", lambda *_: lost)
    result = CliRunner().invoke(recover_command, options)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_what_topics_lack_and_which_are_halted_is_said_after_what_came_back(monkeypatch: pytest.MonkeyPatch) -> None:
    assert orjson.loads(run(monkeypatch, "--json")) == {
        "size_before": 7,
        "size": 11,
        "root": bytes(32).hex(),
        "lacking": [{"topic": "agency.b.events", "records": 3, "duplicates": 1}],
        "halted": [{"topic": "agency.b.events", "reason": "the record is gone"}],
        "lost_texts": 0,
        "access": asdict(ACCESS),
        "lost_trail_commitments": [9],
    }
    first, second, third, *access = run(monkeypatch, "--accept-unsigned").splitlines()[1::2]
    assert first == f"The log has 11 entries (4 were recovered); root {bytes(32).hex()}."
    assert "agency.b.events no longer holds 3 records" in second
    assert "and 1 records without an entry" in second
    assert third == "agency.b.events is halted: the record is gone"
    assert access == [
        "Tokens revoked again: abcdefghij.",
        "Lost, because made after the copy: account press, token klmnopqrst.",
        "Sessions of the console ended: 2.",
        "The rows of the trail that were written after the copy are lost; the log acknowledges it for the commitments "
        "at 9.",
    ]


async def test_an_export_gives_the_texts_of_its_entries_and_what_is_altered_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    built = (
        LogWithTexts().fill(3).add(*(service_suspended(f"s{i}", f"Name {i}") for i in range(4))).withhold(5, "reason")
    )
    folder = await export_of(built.log, tmp_path / "export", 0, len(built.entries), "ndjson")
    assert [text.index for text in folder_texts(folder, 4)] == [4, 6]
    assert next(folder_texts(folder, 0)) == built.texts[3, "reason"]
    file = folder / "texts.ndjson"
    file.write_bytes(file.read_bytes() + b"{")
    assert [text.index for text in folder_texts(folder, 0)] == [3, 4, 6]
    assert "Not all texts of" in capsys.readouterr().err


def test_a_machine_without_the_administrators_password_says_what_is_left_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def without(*_: object) -> None:
        raise NoPassword

    run(monkeypatch)
    monkeypatch.setattr(recovery, "with_database", without)
    result = CliRunner().invoke(recover_command)
    assert "was not applied here: run `yesser recover --access-only`" in result.stdout
    assert "run `yesser audit acknowledge INDEX --reason-ar … --reason-en …` where" in result.stdout
    assert isinstance(CliRunner().invoke(recover_command, ["--access-only"]).exception, NoAccessRecord)


def test_a_service_that_is_away_is_a_sentence_and_the_same_call_goes_on(tmp_path: Path) -> None:
    nowhere = {
        "YESSER_HOME": str(tmp_path),
        "YESSER_KAFKA": "127.0.0.1:1",
        "YESSER_KAFKA_SECURITY": "PLAINTEXT",
        "YESSER_POSTGRES": "postgresql://registrar:secret@127.0.0.1:1/x",
    }
    result = CliRunner(env=nowhere).invoke(recover_command)
    assert isinstance(result.exception, Retry)
    assert "does not answer" in str(result.exception)
    assert "run this again to resume" in str(result.exception)


@every("refusal", [SaslAuthenticationFailed(), InvalidPasswordError("wrong")])
def test_a_refused_password_is_no_service_that_is_away(refusal: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refused(*_: object, **__: object) -> None:
        raise refusal

    monkeypatch.setattr(recovery, "_access_taken", lambda _: ACCESS)
    monkeypatch.setattr(recovery, "recover", refused)
    sentence = foreseen(CliRunner().invoke(recover_command).exception or AssertionError())
    assert sentence is not None
    assert "refuses this user or password" in sentence
