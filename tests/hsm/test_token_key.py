"""A key in a token signs, is rotated with one in a file, and is an outage while its token is away."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from events.errors import Halt
from infra.keys.rotation import CannotRotate, register_log_key
from infra.log.key_history import parse_transition, sign_transition
from infra.log.signed_note import InvalidKey, LogKey, checkpoint_text, parse_checkpoint, sign_note
from infra.private_keys.key_files import KeyFiles, NextKey, adopt, load_keys, load_or_create_keys, next_key, write_next
from infra.private_keys.token_key import TokenKey, registered_key
from infra.private_keys.token_session import TokenUnavailable
from tests.hsm.soft_hsm import PIN, SoftHsm

NAME = "log.example/0"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def key(hsm: SoftHsm) -> TokenKey:
    return registered_key(NAME, hsm.make_key())


@pytest.fixture
def files(tmp_path: Path) -> KeyFiles:
    return KeyFiles(tmp_path / "log", "log", NAME)


def test_a_token_signs_what_everybody_verifies(hsm: SoftHsm, key: TokenKey) -> None:
    note = sign_note(checkpoint_text(NAME, 7, b"r" * 32), [key])
    assert parse_checkpoint(note, key.verifier).size == 7
    second = registered_key(NAME, hsm.make_key("two"))
    by_id = TokenKey(key.verifier, key.uri.replace("object=log-2026", "id=log-2026"))
    for one in (key, second, by_id, key):
        one.signature(b"x")  # two keys and two names of one token share it
    with pytest.raises(InvalidKey, match="not the one that was registered"):
        TokenKey(LogKey(NAME, bytes(32)).verifier, key.uri).signature(b"x")


def test_the_first_key_of_a_log_may_be_in_a_token(hsm: SoftHsm, files: KeyFiles) -> None:
    uri = hsm.make_key()
    for change, why in (
        (
            ("token=log", "token=other"),
            "the token other of .* is not there: connect the device, or correct the address",
        ),
        (("object=log-2026", "object=nothing"), "has no Ed25519 key nothing"),
        (("libsofthsm2.so", "nothing.so"), "cannot open shared object file.*check the device and its module"),
    ):
        with pytest.raises(Halt, match=why):
            registered_key(NAME, uri.replace(*change))
    done = register_log_key(files, uri)
    assert (done.state, done.old) == ("registered", "")
    assert stat.S_IMODE(files.current.stat().st_mode) == 0o600
    assert PIN not in files.current.read_text()
    assert load_or_create_keys(files).current.verifier.vkey + "\n" == files.vkey.read_text()


def test_a_key_is_rotated_from_a_file_to_a_token_and_back(hsm: SoftHsm, files: KeyFiles) -> None:
    first = load_or_create_keys(files).current
    assert register_log_key(files, hsm.make_key()).state == "prepared"
    assert register_log_key(files, hsm.uri()).state == "prepared", "again"
    with pytest.raises(CannotRotate, match="is prepared already"):
        register_log_key(files, hsm.make_key("another"))
    prepared = next_key(files)
    assert prepared is not None
    ring = adopt(files, sign_transition(first, prepared.key, NOW, (5, bytes(32))))
    assert (ring.current, ring.previous) == (prepared.key, first)
    with pytest.raises(CannotRotate, match="has or had"):
        register_log_key(files, hsm.uri())
    third = LogKey(NAME, b"3" * 32)
    write_next(files, NextKey(third, 0))
    step = sign_transition(ring.current, third, NOW, (9, bytes(32)))
    assert adopt(files, step).current == third
    assert [parse_transition(step.note).new for step in load_keys(files).history.transitions] == [
        prepared.key.verifier,
        third.verifier,
    ]


def test_a_token_that_is_away_or_refuses_its_pin_is_an_outage(hsm: SoftHsm, key: TokenKey) -> None:
    key.signature(b"before")
    hsm.remove()
    for use in (lambda: key.signature(b"x"), key.require):
        with pytest.raises(TokenUnavailable, match=rf"the token log of {hsm.module} .*(connect|check) the device"):
            use()
    hsm.connect()
    key.require()
    assert len(key.signature(b"after")) == 64

    hsm.forget()
    hsm.pin_file.write_text("1111")
    with pytest.raises(TokenUnavailable, match=r"refuses the PIN in .*pin \(PinIncorrect\): correct the file"):
        key.require()
    for _ in range(20):
        with pytest.raises(TokenUnavailable, match="not sent"):
            key.require()
    hsm.pin_file.write_text(PIN)
    key.require()

    for mode, text, why in ((0o644, PIN, "others may read"), (0o600, "", "holds no PIN")):
        hsm.forget()
        hsm.pin_file.write_text(text)
        hsm.pin_file.chmod(mode)
        with pytest.raises(InvalidKey, match=why):
            key.require()
