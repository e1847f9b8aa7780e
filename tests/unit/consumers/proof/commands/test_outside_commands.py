"""An auditor with an address and a key: a mirror behind any file server is checked, verified, copied, proven from."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

import pytest

from consumers.proof.audit.pinned_checkpoint import KeptCheckpoint, OlderCopy
from consumers.proof.commands.audit_options import AuditSource
from consumers.proof.commands.outside_commands import proven_copy
from events.errors import Tampered
from infra.log.key_history import KeyHistory
from infra.log.ports.tree import WrongTree
from infra.log.signed_note import Checkpoint, LogKey
from infra.tls.authority import authority
from infra.tls.client import NotTrusted
from tests.unit.consumers.proof.commands.elsewhere import Elsewhere, mirror_of, served
from tests.world.memory_log import KEY, MemoryLog, sample_entries, sample_entry

ENTRIES = sample_entries(700)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Elsewhere]:
    with served(tmp_path) as made:
        yield made


def test_each_check_continues_the_one_before(elsewhere: Elsewhere) -> None:
    elsewhere.grow(ENTRIES[:300])
    assert elsewhere.ok("check", elsewhere.address)["previous_size"] == 0
    elsewhere.grow(ENTRIES)
    assert elsewhere.ok("check", elsewhere.address)["previous_size"] == 300
    assert elsewhere.ok("verify", elsewhere.address)["size"] == 700
    assert elsewhere.ok("verify", elsewhere.mirror)["size"] == 700


def test_a_log_that_shrinks_or_forks_is_found_and_an_older_copy_named(elsewhere: Elsewhere, tmp_path: Path) -> None:
    elsewhere.grow(ENTRIES[:300])
    elsewhere.ok("check", elsewhere.address)
    elsewhere.show(ENTRIES[:200])
    assert "lost its tail" in elsewhere.fails(Tampered, "check", elsewhere.address)
    for command in (("check",), ("verify",), ("prove", "1"), ("replay", "--stdout")):
        said = elsewhere.fails(OlderCopy, command[0], elsewhere.mirror, *command[1:])
        assert f"{elsewhere.mirror} holds 200 entries, but you accepted 300" in said
    other = tmp_path / "other"
    mirror_of(MemoryLog([sample_entry(999), *ENTRIES]), other)
    for name in ("check", "verify"):
        assert "two histories" in elsewhere.fails(Tampered, name, other)
    elsewhere.show(ENTRIES[:300])
    assert elsewhere.ok("check", elsewhere.address)["previous_size"] == 300


def test_a_copy_from_before_a_rotation_is_older_and_shows_what_is_withheld(elsewhere: Elsewhere) -> None:
    elsewhere.grow(ENTRIES[:200])
    new = LogKey(KEY.name, b"n" * 32)
    accepted = KeyHistory((new.verifier,)).parse_checkpoint(new.sign_checkpoint(300, MemoryLog(ENTRIES[:300]).root))
    KeptCheckpoint(elsewhere.checkpoints, KEY.verifier).write(accepted)
    assert isinstance(elsewhere.run("check", elsewhere.mirror).exception, OlderCopy)
    assert "withholds or replaced" in elsewhere.fails(Tampered, "check", elsewhere.address)
    with_new_key = elsewhere.run("check", elsewhere.mirror, vkey=new.verifier.vkey)
    assert "no signature of a known key" in str(with_new_key.exception)


def test_a_checkpoint_under_another_key_of_this_name_and_a_damaged_one_are_named(elsewhere: Elsewhere) -> None:
    new = LogKey(KEY.name, b"n" * 32)
    other = KeptCheckpoint(elsewhere.checkpoints, new.verifier)
    other.path.parent.mkdir(parents=True)
    other.path.write_text(new.sign_checkpoint(9, MemoryLog(ENTRIES[:9]).root))
    elsewhere.grow(ENTRIES[:10])
    first = elsewhere.run("check", elsewhere.address)
    assert first.exit_code == 0
    assert f"Not compared: checkpoints of a log of this name with another key ({other.path})" in first.stderr
    assert elsewhere.run("check", elsewhere.address).stderr == ""
    kept = KeptCheckpoint(elsewhere.checkpoints, KEY.verifier).path
    kept.write_text("nothing\n")
    assert str(kept) in elsewhere.fails(Tampered, "check", elsewhere.address)


def test_a_new_mirror_is_the_same_must_continue_what_was_accepted_and_is_accepted(elsewhere: Elsewhere) -> None:
    state = ("--state", elsewhere.folder / "mine")
    elsewhere.grow(ENTRIES[:300])
    copy = elsewhere.folder / "copy"
    elsewhere.ok("mirror", copy, "--from", elsewhere.address, *state)
    assert (copy / "checkpoint").read_bytes() == (elsewhere.mirror / "checkpoint").read_bytes()
    assert elsewhere.ok("verify", copy, *state)["size"] == 300
    assert elsewhere.ok("check", elsewhere.address, *state)["previous_size"] == 300
    elsewhere.show([sample_entry(999), *ENTRIES])
    fresh = elsewhere.folder / "fresh"
    for folder in (fresh, copy):
        command = ("mirror", folder, "--from", elsewhere.address)
        assert "two histories" in elsewhere.fails(Tampered, *command, *state)
    assert not fresh.exists()
    (kept,) = (elsewhere.folder / "mine").iterdir()
    assert kept.read_text() == MemoryLog(ENTRIES[:300]).note


class TwoFaces(MemoryLog):
    """A log that shows another history to who asks for the checkpoint a second time."""

    async def checkpoint(self) -> Checkpoint:
        shown = await super().checkpoint()
        self.__init__([sample_entry(999), *ENTRIES])  # type: ignore[misc]
        return shown


def test_what_is_replayed_is_the_log_that_was_proven_to_continue(tmp_path: Path) -> None:
    first = asyncio.run(MemoryLog(ENTRIES[:300]).checkpoint())
    kept = KeptCheckpoint(tmp_path / "state", KEY.verifier)
    kept.write(first)
    port = TwoFaces(ENTRIES[:300])

    class Source(AuditSource):
        def opened(self) -> nullcontext[TwoFaces]:
            return nullcontext(port)

    log = Source("https://log.example/", KEY.verifier, None, kept)
    with pytest.raises(WrongTree):
        asyncio.run(proven_copy(log, tmp_path / "into"))
    assert kept.read(port.history) == first


def test_wrong_use_is_said(elsewhere: Elsewhere) -> None:
    for address in ("https://[::1/", "http://log.example:99999999/", "https:///log"):
        result = elsewhere.run("check", address)
        assert (result.exit_code, "is not an address" in result.output) == (2, True), result.exception
    elsewhere.grow(ENTRIES[:300])
    result = elsewhere.run("check", elsewhere.address, vkey=None)
    assert (result.exit_code, "--vkey" in result.output) == (2, True), "a server cannot vouch for its own key"
    token = elsewhere.folder / "token"
    for data, code in ((b"\xef\xbb\xbfabc\n", 0), (b"\xff\xfea\0", 2), (b"", 2), (b"a b", 2)):
        token.write_bytes(data)
        result = elsewhere.run("check", elsewhere.address, "--token-file", token)
        assert (result.exit_code, "holds no token" in result.output) == (code, code == 2), (data, result.exception)
    into = elsewhere.folder / "export"
    for chosen, said in (
        (("--from", "301"), "The newest checkpoint has 300 entries: --from 301 is beyond it"),
        (("--to", "301"), "The newest checkpoint has 300 entries: --to 301 is beyond it"),
        (("--from", "4", "--to", "2"), "--to 2 is before --from 4"),
    ):
        for command in (("export", elsewhere.address, "--into", str(into)), ("replay", elsewhere.address, "--stdout")):
            result = elsewhere.run(*command, *chosen)
            assert (result.exit_code, said in result.output) == (2, True), result.exception
    assert not into.exists()
    rest = elsewhere.run("replay", elsewhere.address, "--stdout", "--from", "300")
    assert (rest.exit_code, rest.output) == (0, "")


def test_a_proof_is_checked_without_the_log_and_a_changed_byte_is_found(elsewhere: Elsewhere) -> None:
    elsewhere.grow(ENTRIES)
    file = elsewhere.folder / "257.tlog-proof"
    elsewhere.ok("prove", elsewhere.address, "257", "--into", file)
    proven = {"index": 257, "size": 700, "root": MemoryLog(ENTRIES).root.hex(), "ok": True}
    assert elsewhere.ok("check", file) == proven
    file.write_text(file.read_text().replace("index 257", "index 258"))
    elsewhere.fails(Tampered, "check", file)
    beyond = elsewhere.run("prove", elsewhere.address, "700")
    assert (beyond.exit_code, "there is no entry 700" in beyond.output) == (2, True)


def test_a_proof_under_another_history_than_was_accepted_is_a_fork(elsewhere: Elsewhere, tmp_path: Path) -> None:
    """Both are signed by the log's key. Of a log of another size a proof shows nothing."""
    elsewhere.grow(ENTRIES[:300])
    elsewhere.ok("check", elsewhere.address)
    for size, is_fork in ((300, True), (301, False)):
        other, file = tmp_path / f"other {size}", tmp_path / f"{size}.tlog-proof"
        mirror_of(MemoryLog([sample_entry(999), *ENTRIES[1:size]]), other)
        state = ("--state", str(tmp_path / f"state {size}"))
        elsewhere.ok("prove", other, "7", *state, "--into", file)
        if is_fork:
            assert "two histories" in elsewhere.fails(Tampered, "check", file)
        else:
            elsewhere.ok("check", file)


def test_a_server_with_a_private_authority_is_trusted_by_its_certificate(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    own = authority(tmp_path / "authority", now)
    with served(tmp_path, own.server("log")) as elsewhere:
        elsewhere.grow(ENTRIES[:300])
        refused = elsewhere.run("check", elsewhere.address)
        assert isinstance(refused.exception, NotTrusted), refused.output
        elsewhere.settings["YESSER_TLS_CA"] = str(own.folder / "ca.pem")
        assert elsewhere.ok("check", elsewhere.address)["size"] == 300
