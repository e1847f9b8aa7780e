"""Cosignatures of checkpoints (C2SP tlog-cosignature, Ed25519, type 0x04): a witness's statement that, at a time, this
was the largest tree of the log that it had seen, and that the tree continues all earlier ones.

The signature is over `cosignature/v1`, the time and the checkpoint's text. A witness's private key is written as that
of a log (`PRIVATE+KEY+…`), so that other programs of the field can use it.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from infra.log.signed_note import (
    COSIGNATURE_V1,
    InvalidNote,
    LogKey,
    is_signature,
    key_id,
    known_signers,
    split_vkey,
    vkey_of,
)

_TIME_BYTES: Final = 8
_TIME_MAX: Final = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Cosigner:
    """A witness's public key with its name."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        return key_id(self.name, COSIGNATURE_V1 + self.public)

    @property
    def vkey(self) -> str:
        return vkey_of(self.name, COSIGNATURE_V1 + self.public)

    def accepts(self, text: str, signature: bytes) -> bool:
        """Whether `signature` (time and 64 bytes) is this key's cosignature of the text."""
        time_s = int.from_bytes(signature[:_TIME_BYTES], "big")
        return time_s <= _TIME_MAX and is_signature(self.public, _message(text, time_s), signature[_TIME_BYTES:])


def cosigner_of(key: LogKey) -> Cosigner:
    """The public half of a witness's key."""
    return Cosigner(key.name, key.verifier.public)


def parse_cosigner(vkey: str) -> Cosigner:
    """Parse a witness's verifier key. Raises `InvalidKey`."""
    return Cosigner(*split_vkey(vkey, COSIGNATURE_V1))


def cosign(key: LogKey, text: str, time_s: int) -> str:
    """The signature line over a checkpoint's text, in seconds since 1970."""
    signature = key.signing_key.sign(_message(text, time_s).encode()).signature
    blob = cosigner_of(key).key_id + time_s.to_bytes(_TIME_BYTES, "big") + signature
    return f"— {key.name} {base64.b64encode(blob).decode()}\n"


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


def _message(text: str, time_s: int) -> str:
    return f"cosignature/v1\ntime {time_s}\n{text}"
