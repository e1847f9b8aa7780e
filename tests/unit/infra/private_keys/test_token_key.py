"""Addresses of keys in tokens (RFC 7512), and the line of a key's file that holds one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.keys.rotation import CannotRotate, prepare_log_key, request_log_rotation
from infra.log.signed_note import InvalidKey, LogKey
from infra.private_keys.key_files import KeyFiles, NextKey, load_keys, load_or_create_keys, next_key, write_next
from infra.private_keys.token_address import TokenAddress, parse_address
from infra.private_keys.token_key import TokenKey, is_in_file, parse_private_key
from tests.every import every

NAME = "log.example/0"
URI = "pkcs11:token=log;object=log-2026?module-path=/usr/lib/hsm.so&pin-source=file:/etc/yesser/pin"
IN_TOKEN = TokenKey(LogKey(NAME, bytes(32)).verifier, URI)


def test_an_address_names_module_token_key_and_the_file_of_the_pin() -> None:
    assert parse_address(URI) == TokenAddress("/usr/lib/hsm.so", "log", None, "log-2026", None, "/etc/yesser/pin")
    uri = "pkcs11:serial=07%3B;id=%01%ff;type=private?pin-source=file:///run/my%20pin&module-path=/m.so"
    assert parse_address(uri) == TokenAddress("/m.so", None, "07;", None, b"\x01\xff", "/run/my pin")


@every(
    ("changed", "why"),
    [
        (URI.replace("pkcs11:", "file:"), "begins with pkcs11:"),
        (URI.replace("token=log", "token=my log"), "no spaces"),
        (URI + "&pin-value=2468", "holds its PIN"),
        (URI.replace("pin-source=file:", "pin-source="), "no `pin-source=file:"),
        (URI.replace("file:/etc", "file:etc"), "paths from the root"),
        (URI.replace("/usr/lib/hsm.so", "hsm.so"), "paths from the root"),
        (URI.replace("token=log;", ""), "names no token"),
        (URI.replace(";object=log-2026", ""), "no key"),
        (URI.replace("token=log", "token=log;token=other"), "twice"),
        (URI.replace("token=log", "token=log;slot-id=3"), "`slot-id` is not used"),
        (URI.replace("token=log", "token=log;type=public"), "not private"),
    ],
)
def test_an_address_that_leaves_something_open_or_holds_a_pin_is_refused(changed: str, why: str) -> None:
    with pytest.raises(InvalidKey, match=why):
        parse_address(changed)


def test_the_line_of_a_file_comes_back_for_both_kinds_of_keys() -> None:
    for key in (LogKey(NAME, b"k" * 32), IN_TOKEN):
        assert parse_private_key(key.skey) == key
    with pytest.raises(InvalidKey, match="mistyped"):
        parse_private_key(IN_TOKEN.skey.replace("log.example/0+", "log.example/1+"))


def test_files_of_a_key_in_a_token_are_loaded_and_no_key_leaves_it_unless_asked(tmp_path: Path) -> None:
    files = KeyFiles(tmp_path, "log", NAME)
    ring = load_or_create_keys(files, IN_TOKEN)
    assert ring == load_keys(files)
    assert (ring.current, is_in_file(ring.current)) == (IN_TOKEN, False)
    assert files.vkey.read_text() == IN_TOKEN.verifier.vkey + "\n"
    with pytest.raises(CannotRotate, match="is in a token"):
        prepare_log_key(files)
    with pytest.raises(CannotRotate, match="is in a token"):
        request_log_rotation(files, 7, datetime(2026, 1, 1, tzinfo=UTC), 0)
    assert next_key(files) is None
    prepare_log_key(files, in_file=True)
    prepared = next_key(files)
    assert prepared is not None
    assert is_in_file(prepared.key)
    write_next(files, NextKey(IN_TOKEN, 7))
    assert next_key(files) == NextKey(IN_TOKEN, 7), "a prepared one keeps its address and the request"
