"""Cosignatures of checkpoints (C2SP tlog-cosignature): a witness's statement that, at a time, this was the largest tree
of the log that it had seen, and that the tree continues all earlier ones.

There are two types. ML-DSA-44 (0x06), for new witnesses, is over `subtree/v1`, the witness's name, the time, the log's
name, the size and the root. Ed25519 (0x04) is over `cosignature/v1`, the time and the checkpoint's text. Private keys
are written `PRIVATE+KEY+…` with the seed, as other programs of the field write them; an Ed25519 one as that of a log.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

from infra.log.signed_note import (
    COSIGNATURE_V1,
    ED25519,
    ML_DSA_44,
    InvalidKey,
    InvalidNote,
    LogKey,
    is_signature,
    key_id,
    known_signers,
    read_checkpoint,
    require_id,
    signature_line,
    skey_of,
    split_skey,
    split_vkey,
    vkey_of,
)

_TIME_BYTES: Final = 8
_TIME_MAX: Final = (1 << 63) - 1
_NAME_BYTES_MAX: Final = 255


@dataclass(frozen=True, slots=True)
class Cosigner:
    """A witness's public key with its name. `kind` is the type of its cosignatures."""

    name: str
    public: bytes
    kind: bytes = COSIGNATURE_V1

    @property
    def key_id(self) -> bytes:
        return key_id(self.name, self.kind + self.public)

    @property
    def vkey(self) -> str:
        return vkey_of(self.name, self.kind + self.public)

    def accepts(self, text: str, signature: bytes) -> bool:
        """Whether `signature` (time, and 64 or 2,420 bytes) is this key's cosignature of the text."""
        time_s, signature = int.from_bytes(signature[:_TIME_BYTES], "big"), signature[_TIME_BYTES:]
        if time_s > _TIME_MAX:
            return False
        if self.kind == COSIGNATURE_V1:
            return is_signature(self.public, _message(text, time_s), signature)
        try:
            MLDSA44PublicKey.from_public_bytes(self.public).verify(signature, _subtree(self.name, text, time_s))
        except (InvalidSignature, InvalidNote, ValueError, OverflowError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class MlDsaKey:
    """A witness's ML-DSA-44 private key: a 32-byte seed under its name."""

    name: str
    seed: bytes
    _key: MLDSA44PrivateKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_key", MLDSA44PrivateKey.from_seed_bytes(self.seed))

    def __repr__(self) -> str:
        return f"MlDsaKey({self.name})"

    @property
    def public(self) -> bytes:
        return self._key.public_key().public_bytes_raw()

    @property
    def skey(self) -> str:
        return skey_of(self.name, cosigner_of(self).key_id, ML_DSA_44 + self.seed)

    def signature(self, message: bytes) -> bytes:
        """2,420 bytes. Two signatures of one message differ."""
        return self._key.sign(message)


WitnessKey: TypeAlias = LogKey | MlDsaKey


def cosigner_of(key: WitnessKey) -> Cosigner:
    """The public half of a witness's key."""
    if isinstance(key, MlDsaKey):
        return Cosigner(key.name, key.public, ML_DSA_44)
    return Cosigner(key.name, key.verifier.public)


def parse_cosigner(vkey: str) -> Cosigner:
    """Parse a witness's verifier key. Raises `InvalidKey`."""
    return Cosigner(*split_vkey(vkey, COSIGNATURE_V1, ML_DSA_44))


def parse_witness_key(skey: str) -> WitnessKey:
    """Parse a witness's private key, of the type that its file names. Raises `InvalidKey`."""
    name, found_id, kind, seed = split_skey(skey, ED25519, ML_DSA_44)
    if len(name.encode()) > _NAME_BYTES_MAX:
        raise InvalidKey(f"the name of a witness has at most {_NAME_BYTES_MAX} bytes")
    key: WitnessKey = LogKey(name, seed) if kind == ED25519 else MlDsaKey(name, seed)
    require_id(name, found_id, key.verifier.key_id if isinstance(key, LogKey) else cosigner_of(key).key_id)
    return key


def cosign(key: WitnessKey, text: str, time_s: int) -> str:
    """The signature line over a checkpoint's text, in seconds since 1970."""
    message = _message(text, time_s) if isinstance(key, LogKey) else _subtree(key.name, text, time_s)
    blob = cosigner_of(key).key_id + time_s.to_bytes(_TIME_BYTES, "big") + key.signature(message)
    return signature_line(key.name, blob)


def cosigners_of(note: str, cosigners: Sequence[Cosigner]) -> list[Cosigner]:
    """Those of the known witnesses that cosigned a checkpoint. Raises `InvalidNote` for a wrong cosignature of one."""
    return known_signers(note, cosigners)[1]


def cosignature_in(lines: str, text: str, cosigner: Cosigner) -> str | None:
    """The line in a witness's answer that is its cosignature of the text; None without one. Others are ignored."""
    for line in lines.splitlines(keepends=True):
        try:
            if cosigners_of(f"{text}\n{line}", [cosigner]):
                return line
        except InvalidNote:
            continue
    return None


def _message(text: str, time_s: int) -> bytes:
    return f"cosignature/v1\ntime {time_s}\n{text}".encode()


def _subtree(name: str, text: str, time_s: int) -> bytes:
    """The structure `cosigned_message` of tlog-cosignature for a whole tree. Raises `InvalidNote`, and `ValueError` or
    `OverflowError` for a name or a size that has no place in it."""
    tree = read_checkpoint(text, text.partition("\n")[0], text)
    names = [bytes([len(part)]) + part for part in (name.encode(), tree.origin.encode())]
    numbers = [number.to_bytes(8, "big") for number in (time_s, 0, tree.size)]
    return b"subtree/v1\n\0" + names[0] + numbers[0] + names[1] + numbers[1] + numbers[2] + tree.root
