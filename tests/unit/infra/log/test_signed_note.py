"""Signed notes against the specification's example and Go's, and every rule of refusal."""

from __future__ import annotations

import base64
from hashlib import sha256

import pytest

from infra.log.signed_note import (
    InvalidKey,
    InvalidNote,
    LogKey,
    Verifier,
    checkpoint_text,
    parse_checkpoint,
    parse_skey,
    parse_vkey,
    verify_note,
)
from tests.every import every

SPEC_VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPEC_NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
GO_SKEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_SIGNATURE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)

KEY = LogKey("log.example/0", bytes(range(32)))
OTHER = LogKey("other.example", bytes(32))
ROOT = sha256(b"root").digest()


def test_the_specifications_example_verifies_and_we_sign_byte_for_byte_as_go_does() -> None:
    verifier = parse_vkey(SPEC_VKEY)
    assert (verifier.key_id.hex(), verifier.vkey) == ("530d903a", SPEC_VKEY)
    assert verify_note(SPEC_NOTE, [verifier]) == "This is an example message.\n"
    key = parse_skey(GO_SKEY)
    assert (key.verifier.vkey, key.skey) == (GO_VKEY, GO_SKEY)
    assert key.sign(GO_TEXT) == f"{GO_TEXT}\n{GO_SIGNATURE}"


def test_a_key_whose_base64_holds_a_plus_is_read_back_and_a_private_one_does_not_show_itself() -> None:
    skeys = (LogKey("log.example/0", sha256(bytes([i])).digest()) for i in range(99))
    key = next(k for k in skeys if "+" in k.verifier.vkey.split("+", 2)[2])
    assert parse_vkey(key.verifier.vkey) == key.verifier
    assert Verifier("a", key.verifier.public).key_id != Verifier("b", key.verifier.public).key_id
    assert key.seed.hex() not in repr(key)
    assert "PRIVATE" not in repr(key)


def test_a_checkpoint_is_read_back_also_of_the_empty_tree_and_with_extension_lines() -> None:
    checkpoint = parse_checkpoint(KEY.sign_checkpoint(70_000, ROOT), KEY.verifier)
    assert (checkpoint.origin, checkpoint.size, checkpoint.root) == ("log.example/0", 70_000, ROOT)
    assert parse_checkpoint(KEY.sign_checkpoint(0, sha256(b"").digest()), KEY.verifier).size == 0
    extended = KEY.sign(checkpoint_text(KEY.name, 5, ROOT) + "extension 1\n")
    assert parse_checkpoint(extended, KEY.verifier).size == 5


def test_an_unknown_key_is_ignored_beside_a_known_one_also_a_known_name_with_another_id() -> None:
    signed, twin = KEY.sign("text\n"), LogKey(KEY.name, bytes(32)).sign("text\n")
    for unknown in (OTHER.sign("text\n"), twin):
        assert verify_note(signed + unknown.rpartition("\n\n")[2], [KEY.verifier]) == "text\n"
    note = "".join([signed, *[OTHER.sign("text\n").rpartition("\n\n")[2]] * 15])
    assert verify_note(note, [KEY.verifier]) == "text\n", "sixteen signatures are read"
    with pytest.raises(InvalidNote, match="no signature of a known key"):
        verify_note(twin, [KEY.verifier])
    bad = OTHER.sign("other\n").rpartition("\n\n")[2]
    with pytest.raises(InvalidNote, match="wrong"):
        verify_note(signed + bad, [KEY.verifier, OTHER.verifier])


def test_every_flipped_bit_of_a_checkpoint_is_refused() -> None:
    note = KEY.sign_checkpoint(1042, ROOT).encode()
    for bit in range(len(note) * 8):
        changed = bytearray(note)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            text = changed.decode()
        except UnicodeDecodeError:
            continue
        with pytest.raises(InvalidNote):
            parse_checkpoint(text, KEY.verifier)


@every(
    ("note", "why"),
    [
        ("text\n", "no signatures"),
        ("text\n\n", "no signatures"),
        ("text\n\n— name AAAAAAAA", "no signatures"),
        ("text\n\n- name AAAAAAAA\n", "signature line"),
        ("text\n\n— name with space AAAAAAAA\n", "signature line"),
        ("text\n\n— name AAAA\n", "signature line"),
        ("text\n\n— name AAAAAAB=\n", "signature line"),
        ("te\txt\n\n— name AAAAAAAA\n", "control characters"),
        ("text\n\n" + "— name AAAAAAAA\n" * 101, "101 signatures"),
    ],
)
def test_what_is_not_a_note_is_refused(note: str, why: str) -> None:
    with pytest.raises(InvalidNote, match=why):
        verify_note(note, [KEY.verifier])


@every(
    ("text", "why"),
    [
        (checkpoint_text("other.example", 1, ROOT), "of the log"),
        (f"{KEY.name}\n01\n{base64.b64encode(ROOT).decode()}\n", "size of a tree"),
        (f"{KEY.name}\n-1\n{base64.b64encode(ROOT).decode()}\n", "size of a tree"),
        (f"{KEY.name}\n1\n", "origin, size, root"),
        (checkpoint_text(KEY.name, 1, ROOT) + "\n", "origin, size, root"),
        (f"{KEY.name}\n1\nAAAA\n", "32 bytes"),
        (f"{KEY.name}\n1\nno base64!\n", "base64 of 32 bytes"),
    ],
)
def test_a_signed_text_that_is_no_checkpoint_is_refused(text: str, why: str) -> None:
    with pytest.raises(InvalidNote, match=why):
        parse_checkpoint(KEY.sign(text), KEY.verifier)


@every(
    ("vkey", "why"),
    [
        *[(vkey, None) for vkey in ("", "name", "name+zz+AA", SPEC_VKEY.replace("+Ae", "+Be"), SPEC_VKEY[:-4])],
        (SPEC_VKEY.replace("530d903a", "530d903b"), "mistyped"),
    ],
)
def test_what_is_not_a_verifier_key_is_refused(vkey: str, why: str | None) -> None:
    with pytest.raises(InvalidKey, match=why):
        parse_vkey(vkey)
