"""The C2SP tlog-proof: one entry, its inclusion proof and the checkpoint, in a text that is verified without the log.

The line `extra` holds the entry's bytes, so that the file alone shows what was logged.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from events.errors import Tampered
from infra.log.merkle import leaf_hash
from infra.log.proofs import verify_inclusion
from infra.log.signed_note import (
    Checkpoint,
    InvalidNote,
    OtherKey,
    Verifier,
    other_signers,
    parse_checkpoint,
    strict_base64,
)

HEADER: Final = "c2sp.org/tlog-proof@v1"
HASHES_MAX: Final = 63
_INDEX: Final = re.compile(r"index (0|[1-9][0-9]{0,18})")


class InvalidProof(Tampered):
    """The proof does not show that its entry is in the log: do not rely on it, and get it again from another source."""


@dataclass(frozen=True, slots=True)
class ProofFile:
    """`path` is the inclusion proof from leaf to root, `note` the signed checkpoint."""

    index: int
    entry: bytes
    path: Sequence[bytes]
    note: str

    def text(self) -> str:
        """The file's text."""
        hashes = "".join(f"{_base64(step)}\n" for step in self.path)
        return f"{HEADER}\nextra {_base64(self.entry)}\nindex {self.index}\n{hashes}\n{self.note}"

    def verified(self, verifier: Verifier) -> Checkpoint:
        """The checkpoint that the entry is proven under. Raises `InvalidProof`, and `OtherKey` where it says that
        another key of this log signed it: a proof has no room for the rotations."""
        try:
            checkpoint = parse_checkpoint(self.note, verifier)
        except InvalidNote as error:
            if others := other_signers(self.note, verifier):
                raise OtherKey(f"{', '.join(others)}: {OtherKey.__doc__}") from error
            raise InvalidProof(f"the checkpoint is not one of {verifier.name}: {error}") from error
        leaf = leaf_hash(self.entry)
        if not verify_inclusion(leaf, self.index, checkpoint.size, checkpoint.root, self.path):
            raise InvalidProof(
                f"entry {self.index} with these bytes is not in the tree of {checkpoint.size} entries that was signed"
            )
        return checkpoint


def parse_proof_file(text: str) -> ProofFile:
    """Raises `InvalidProof` for what is not a tlog-proof with an entry, and names the line."""
    head, blank, note = text.partition("\n\n")
    lines = head.split("\n")
    if not blank or lines[0] != HEADER:
        raise InvalidProof(f"line 1 is not {HEADER}, or no checkpoint follows after a blank line")
    if len(lines) < 3 or not lines[1].startswith("extra "):
        raise InvalidProof("line 2 is not `extra` with the entry's bytes")
    index = _INDEX.fullmatch(lines[2])
    if index is None:
        raise InvalidProof("line 3 is not `index` with a number")
    if len(lines) - 3 > HASHES_MAX:
        raise InvalidProof(f"the proof has {len(lines) - 3} hashes; a tree has at most {HASHES_MAX} levels")
    entry = _bytes(lines[1].removeprefix("extra "), 2)
    path = [_bytes(line, number) for number, line in enumerate(lines[3:], 4)]
    for number, step in enumerate(path, 4):
        if len(step) != 32:
            raise InvalidProof(f"line {number} is not a hash of 32 bytes")
    return ProofFile(int(index[1]), entry, path, note)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str, line: int) -> bytes:
    if data := strict_base64(text):
        return data
    raise InvalidProof(f"line {line} is not base64")
