"""An auditor with an address, a key and a token asks a server that lies: each command finds it, names it, ends with 76.

The log's key was rotated on the way; the auditor knows the first one, and has accepted a checkpoint before.
"""

from __future__ import annotations

import asyncio
import gzip
import random
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path

import pytest
import pytest_asyncio
from click.testing import CliRunner

from consumers.proof.audit import port
from events.errors import YesserError
from infra.cli import cli
from infra.command_line.exit_codes import ExitCode, exit_code
from infra.log.key_history import Transition, sign_transition
from infra.log.layout import TILE
from infra.log.signed_note import LogKey
from tests.every import every
from tests.world.logs import history_bytes
from tests.world.lying_server import History, Lie, LyingServer, Request, answer, honest, lying_server
from tests.world.memory_log import KEY, root_of

ACCEPTED, ROTATED, SIZE, PROVEN = 530, 300, 700, 299
NEXT = LogKey(KEY.name, b"n" * 32)
FILES = ("checkpoint", "keys", "tile/0/001", "tile/0/002.p/188", "tile/1/000.p/2", "tile/entries/001")
COMMANDS = ("check", "verify", "mirror", "prove", "replay")
COPIES = ("new mirror", "read models")
"""Commands that write a copy of the log to a new folder."""
NAMES = {"new mirror": "mirror", "read models": "replay"}
TOKEN = "of-this-auditor"
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]


@cache
def raw() -> list[bytes]:
    return history_bytes(61, 720)[:SIZE]


def step_to(key: LogKey) -> Transition:
    """The rotation to another key."""
    return sign_transition(KEY, key, datetime(2026, 11, 1, tzinfo=UTC), (ROTATED, root_of(raw()[:ROTATED])))


@dataclass
class Auditor:
    """Runs the commands, each from where the auditor stood before: a kept checkpoint and a mirror of 530 entries."""

    server: LyingServer
    folder: Path
    token: Path

    async def run(self, command: str, *, keeps: bool = True) -> tuple[int, str]:
        """Exit code and what was said. `keeps`: with what was accepted before."""
        own = self.folder / "now"
        shutil.rmtree(own, ignore_errors=True)
        if keeps:
            shutil.copytree(self.folder / "before", own)
        return await asyncio.to_thread(self._run, command, own)

    def _run(self, command: str, own: Path) -> tuple[int, str]:
        address, into = self.server.address, own / "mirror"
        arguments = {
            "check": (address,),
            "verify": (address,),
            "mirror": (str(into), "--from", address),
            "prove": (address, str(PROVEN)),
            "replay": (address, "--stdout"),
            "new mirror": (str(own / "new"), "--from", address),
            "read models": (address, "--into", str(own / "models"), "--json"),
        }[command]
        options = ["--vkey", KEY.verifier.vkey, "--token-file", str(self.token)]
        environment = {"XDG_STATE_HOME": str(own), "YESSER_HOME": str(own / "no-home")}
        result = CliRunner().invoke(cli, ["audit", NAMES.get(command, command), *arguments, *options], env=environment)
        if result.exception is None or isinstance(result.exception, SystemExit):
            return result.exit_code, result.output
        assert isinstance(result.exception, YesserError), result.exception
        return exit_code(result.exception), str(result.exception)

    async def finds(self, lie: Lie, code: int, *words: str, commands: Sequence[str] = COMMANDS) -> None:
        """Each command that was lied to ends with this code and these words, and the others end well."""
        for command in commands:
            self.server.tells(lie)
            found, said = await self.run(command)
            expected = code if self.server.lies else 0
            assert found == expected, (command, self.server.lies, said)
            if self.server.lies:
                assert all(word in said for word in words), (command, words, said)


@pytest.fixture(autouse=True)
def quick_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port, "_WAIT_MIN_S", 0.001)
    monkeypatch.setattr(port, "_WAIT_MAX_S", 0.001)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def auditor(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Auditor]:
    """One for all tests: each command begins where the auditor stood."""
    folder = tmp_path_factory.mktemp("auditor")
    async with lying_server(History(raw()[:ACCEPTED], NEXT, step_to(NEXT).note).read) as server:
        token = folder / "token"
        token.write_text(TOKEN)
        found = Auditor(server, folder, token)
        for command in ("check", "mirror"):
            code, said = await found.run(command, keeps=command == "mirror")
            assert code == 0, said
            shutil.rmtree(folder / "before", ignore_errors=True)
            shutil.copytree(folder / "now", folder / "before")
        server.truth = History(raw(), NEXT, step_to(NEXT).note).read
        yield found


def only(path: str, change: Callable[[bytes], bytes]) -> Lie:
    return lambda request: change(request.file or b"") if request.path == path else None


def said(text: str, _: bytes) -> bytes:
    return answer(text.encode())


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


async def test_an_honest_server_is_believed_by_every_command(auditor: Auditor) -> None:
    await auditor.finds(honest, 0, commands=(*COMMANDS, "new mirror"))


async def test_a_flipped_bit_in_any_file_is_found_by_every_command_that_reads_it(auditor: Auditor) -> None:
    chance = random.Random(1425)
    for path in FILES:

        def flip(data: bytes, path: str = path) -> bytes:
            begin, end = 0, len(data)
            if path == "tile/entries/001":  # of this one, `prove` looks at its own entry alone
                begin = sum(2 + len(entry) for entry in raw()[TILE:PROVEN])
                end = begin + 2 + len(raw()[PROVEN])
            return answer(flipped(data, chance.randrange(8 * begin, 8 * end)))

        await auditor.finds(only(path, flip), ExitCode.TAMPERED, path)


LIES: dict[str, tuple[Callable[[bytes], bytes], ExitCode]] = {
    "a shorter length than it has": (lambda data: answer(data, length=len(data) - 1), ExitCode.TAMPERED),
    "half of a gzip": (
        lambda data: answer(gzip.compress(data)[:-20], 200, "content-encoding: gzip"), ExitCode.TAMPERED
    ),
    "half an answer": (lambda data: answer(data[:-1], length=len(data)), ExitCode.TRY_AGAIN),
    "no answer": (lambda _: b"", ExitCode.TRY_AGAIN),
    "what is not HTTP": (lambda _: b"\x16\x03\x01 not HTTP\r\n\r\n", ExitCode.TRY_AGAIN),
}  # fmt: skip
"""What no transport in memory can do; `test_http_port.py` has more."""


async def test_each_answer_that_is_none_is_found_and_names_its_file(auditor: Auditor) -> None:
    for name, (lie, code) in LIES.items():
        for path, command in (("keys", "prove"), ("tile/entries/001", "verify")):
            await auditor.finds(only(path, lie), code, f"{auditor.server.address}{path}", commands=[command])
            assert auditor.server.lies, name


async def test_a_part_that_was_signed_is_missing_but_no_log_at_all_is_no_tampering(auditor: Auditor) -> None:
    await auditor.finds(only("tile/entries/001", lambda _: answer(None)), ExitCode.TAMPERED, "tile/entries/001")
    await auditor.finds(only("tile/0/000", lambda _: answer(None)), ExitCode.TAMPERED, "tile/0/000")
    await auditor.finds(lambda _: answer(None), ExitCode.ANSWER_IS_NO, "a log's address")
    await auditor.finds(
        only("keys", lambda _: answer(None)), ExitCode.TAMPERED, "no signature of a known key", "checkpoint"
    )


async def test_a_server_that_never_comes_to_an_end_is_left(auditor: Auditor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port, "ANSWER_MAX_S", 0.3)
    for path in ("checkpoint", "tile/1/000.p/2"):
        auditor.server.tells(only(path, lambda data: answer(data * 100)), drip=True)
        code, said = await auditor.run("check")
        assert (code, path in said) == (ExitCode.TRY_AGAIN, True), said


def with_another(index: int, size: int = SIZE) -> list[bytes]:
    """The log with another entry at an index, recorded at the same time."""
    entries = list(raw()[:size])
    entries[index] = entries[index].replace(b'"specversion"', b'"specversioN"')
    assert entries[index] != raw()[index]
    return entries


@every("index", [0, 529])
async def test_a_fork_for_one_reader_is_found_by_what_the_reader_accepted(auditor: Auditor, index: int) -> None:
    fork = History(with_another(index), NEXT)
    token = f"bearer {TOKEN}"
    words = ("two histories",) if index > ROTATED else ()

    def to_this_one(request: Request) -> bytes | None:
        return fork.told(request) if request.token == token else None

    await auditor.finds(to_this_one, ExitCode.TAMPERED, *words, commands=(*COMMANDS, *COPIES))
    # Another one, to whom the true log is shown, sees nothing of it.
    auditor.server.tells(lambda r: fork.told(r) if r.token != token else None)
    code, said = await auditor.run("check")
    assert code == 0, said


async def test_a_fork_is_found_though_each_of_two_histories_is_shown_where_it_fits(auditor: Auditor) -> None:
    """The hashes are those of the log that was accepted; the checkpoint, or that and the entries, are the fork's."""
    fork = History(with_another(310), NEXT)
    for paths in ("checkpoint", "tile/entries/"):

        def in_parts(request: Request, paths: str = paths) -> bytes | None:
            return fork.told(request, "checkpoint") or fork.told(request, paths)

        await auditor.finds(in_parts, ExitCode.TAMPERED, "tile/", commands=(*COMMANDS, *COPIES))
    first = {"reads": 0}

    def changes_its_mind(request: Request) -> bytes | None:
        """True hashes for as long as the checkpoint that was accepted is looked at, the fork's after it."""
        if request.path == "checkpoint":
            first["reads"] = 0
            return fork.told(request)
        first["reads"] += 1
        return None if first["reads"] <= 6 else fork.told(request)

    await auditor.finds(changes_its_mind, ExitCode.TAMPERED, commands=(*COMMANDS, *COPIES))


async def test_a_thief_of_the_replaced_key_is_found_though_the_true_keys_are_shown_later(auditor: Auditor) -> None:
    """The thief signs a rotation from the stolen key to one of their own, and goes on from what was accepted."""
    thief = LogKey(KEY.name, b"t" * 32)
    stolen = step_to(thief)
    fork = History(with_another(650), thief)
    reads = {"keys": 0}

    def once(request: Request) -> bytes | None:
        if request.path != "keys":
            reads["keys"] = 0 if request.path == "checkpoint" else reads["keys"]
            return fork.told(request)
        reads["keys"] += 1
        return answer(stolen.note.encode()) if reads["keys"] == 1 else None

    await auditor.finds(once, ExitCode.TAMPERED, "withholds or replaced", commands=(*COMMANDS, *COPIES))


async def test_an_old_checkpoint_and_one_of_the_replaced_key_alone_are_refused(auditor: Auditor) -> None:
    for size in (ROTATED + 1, ACCEPTED - 1):
        old = NEXT.sign_checkpoint(size, root_of(raw()[:size]))
        await auditor.finds(only("checkpoint", partial(said, old)), ExitCode.TAMPERED, "lost its tail")
    emptied = NEXT.sign_checkpoint(0, root_of([]))
    await auditor.finds(only("checkpoint", partial(said, emptied)), ExitCode.TAMPERED)
    stolen = KEY.sign_checkpoint(SIZE, root_of(raw()))
    lie = only("checkpoint", partial(said, stolen))
    await auditor.finds(lie, ExitCode.TAMPERED, "at this size", "checkpoint")
