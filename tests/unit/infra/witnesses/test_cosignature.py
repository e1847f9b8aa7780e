"""Cosignatures as C2SP tlog-cosignature writes them."""

from __future__ import annotations

import base64
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey
from nacl.signing import VerifyKey

from infra.log.signed_note import InvalidKey, InvalidNote, LogKey, parse_vkey
from infra.witnesses.cosignature import (
    Cosigner,
    MlDsaKey,
    WitnessKey,
    cosign,
    cosignature_in,
    cosigner_of,
    cosigners_of,
    parse_cosigner,
    parse_witness_key,
)
from tests.every import every

KEY = LogKey("court.example/witness", bytes(range(32)))
OTHER = LogKey("bank.example/witness", bytes(range(1, 33)))
ML_DSA = MlDsaKey("court.example/witness", bytes(range(32)))
"""The name of `KEY`, and its seed."""
LOG = LogKey("log.example/0", bytes(32))
TEXT = "log.example/0\n7\nqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo=\n"
NOTE = LOG.sign(TEXT)


def test_the_signature_is_over_header_time_and_the_whole_text() -> None:
    line = cosign(KEY, TEXT, 1_679_315_147)
    dash, name, encoded = line.rstrip("\n").split(" ")
    blob = base64.b64decode(encoded)
    assert (dash, name, len(blob)) == ("—", KEY.name, 76)
    assert blob[4:12] == (1_679_315_147).to_bytes(8, "big")
    message = b"cosignature/v1\ntime 1679315147\n" + TEXT.encode()
    VerifyKey(cosigner_of(KEY).public).verify(message, blob[12:])


def test_an_ml_dsa_signature_is_over_the_structure_of_names_time_and_tree() -> None:
    blob = base64.b64decode(cosign(ML_DSA, TEXT, 1_679_315_147).rstrip("\n").split(" ")[2])
    assert len(blob) == 4 + 8 + 2420
    assert blob[4:12] == (1_679_315_147).to_bytes(8, "big")
    message = b"".join(
        [
            b"subtree/v1\n\x00",
            b"\x15court.example/witness",
            bytes.fromhex("00000000641850cb"),
            b"\x0dlog.example/0",
            bytes.fromhex("0000000000000000 0000000000000007"),
            b"\xaa" * 32,
        ]
    )
    MLDSA44PublicKey.from_public_bytes(ML_DSA.public).verify(blob[12:], message)
    assert cosigner_of(ML_DSA).key_id == sha256(b"court.example/witness\n\x06" + ML_DSA.public).digest()[:4] == blob[:4]


def test_an_ml_dsa_cosignature_is_of_the_tree_and_not_of_the_lines_after_it() -> None:
    cosigner, signature = cosigner_of(ML_DSA), _signature(cosign(ML_DSA, TEXT, 6))
    assert cosigner.accepts(TEXT + "an extension\n", signature)
    for changed in (TEXT.replace("\n7\n", "\n8\n"), TEXT.replace("log.", "lag."), TEXT.replace("\nq", "\nr"), "text\n"):
        assert not cosigner.accepts(changed, signature)
    other = Cosigner("bank.example/witness", ML_DSA.public, cosigner.kind)
    assert not other.accepts(TEXT, signature), "the name is signed"
    for malformed in (b"", bytes(8), bytes(8 + 2419), bytes(8 + 2421)):
        assert not cosigner.accepts(TEXT, malformed)
    assert not cosigner.accepts(TEXT.replace("\n7\n", f"\n{1 << 64}\n"), bytes(8 + 2420))
    assert not cosigner.accepts("l" * 256 + TEXT, bytes(8 + 2420))


@every(("key", "at"), [*((ML_DSA, at) for at in (*range(4, 13), 700, 2431)), *((KEY, at) for at in range(4, 76))])
def test_each_byte_of_a_cosignature_counts(key: WitnessKey, at: int) -> None:
    blob = bytearray(base64.b64decode(cosign(key, TEXT, 6).split(" ")[2]))
    blob[at] ^= 1
    line = f"— {key.name} {base64.b64encode(blob).decode()}\n"
    with pytest.raises(InvalidNote, match="court"):
        cosigners_of(NOTE + line, [cosigner_of(key)])
    assert cosignature_in(line, TEXT, cosigner_of(key)) is None


def test_a_cosignature_in_an_answer_is_taken_alone_and_only_one_of_this_text() -> None:
    own = cosign(KEY, TEXT, 6)
    answer = cosign(OTHER, TEXT, 6) + "junk\n" + own
    assert cosignature_in(answer, TEXT, cosigner_of(KEY)) == own
    assert cosignature_in("<html>", TEXT, cosigner_of(KEY)) is None
    assert not cosigner_of(KEY).accepts(TEXT.replace("\n7\n", "\n8\n"), _signature(own))
    assert not cosigner_of(KEY).accepts(TEXT, b"\xff" * 8 + bytes(64)), "a time beyond 63 bits"


def test_those_who_cosigned_are_found_beside_the_log_and_strangers_and_both_types_of_a_name_are_two() -> None:
    both = [cosigner_of(KEY), cosigner_of(ML_DSA)]
    note = NOTE + cosign(OTHER, TEXT, 5) + cosign(KEY, TEXT, 6)
    assert cosigners_of(note, both) == both[:1]
    assert cosigners_of(note + cosign(ML_DSA, TEXT, 5), both) == both
    assert cosigners_of(NOTE + cosign(ML_DSA, TEXT, 5), both) == both[1:]
    assert cosigners_of(NOTE, both) == []


@every("key", [KEY, ML_DSA])
def test_a_key_comes_back_as_what_it_is(key: WitnessKey) -> None:
    assert parse_cosigner(cosigner_of(key).vkey) == cosigner_of(key)
    assert parse_witness_key(key.skey) == key
    assert key.seed.hex() not in repr(key)
    name, _, seed = key.skey.removeprefix("PRIVATE+KEY+").split("+", 2)
    with pytest.raises(InvalidKey, match="does not have the id"):
        parse_witness_key(f"PRIVATE+KEY+{name}+00000000+{seed}")


def test_the_key_id_covers_the_type_so_that_a_key_of_a_log_is_none_of_a_witness() -> None:
    public = KEY.verifier.public
    assert cosigner_of(KEY).key_id == sha256(KEY.name.encode() + b"\n\x04" + public).digest()[:4]
    assert cosigner_of(KEY).key_id != KEY.verifier.key_id
    with pytest.raises(InvalidKey, match="type 0x01, not 0x04"):
        parse_cosigner(KEY.verifier.vkey)
    with pytest.raises(InvalidKey, match="type 0x04, not 0x01"):
        parse_vkey(cosigner_of(KEY).vkey)


def _signature(line: str) -> bytes:
    return base64.b64decode(line.split(" ")[2])[4:]
