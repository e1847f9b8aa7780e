"""The request `add-checkpoint` (C2SP tlog-witness): a checkpoint, and the proof that it continues an earlier one."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from events.errors import Reject
from infra.log.signed_note import strict_base64

PATH: Final = "add-checkpoint"
SIZE_TYPE: Final = "text/x.tlog.size"
"""Of the answer 409, whose body is the size that the witness cosigned last."""
HASHES_MAX: Final = 63
BODY_BYTES_MAX: Final = 64 << 10
"""Far above 63 hashes and the signatures that are read of a note."""
_OLD_SIZE: Final = re.compile(r"old (0|[1-9][0-9]{0,18})")


class MalformedRequest(Reject):
    """The request is not an old size, hashes, an empty line and a checkpoint."""


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """`proof` is the consistency proof from `old_size` to the size of the checkpoint `note`."""

    old_size: int
    proof: Sequence[bytes]
    note: str

    def body(self) -> bytes:
        hashes = "".join(f"{base64.b64encode(step).decode()}\n" for step in self.proof)
        return f"old {self.old_size}\n{hashes}\n{self.note}".encode()


def parse_add_checkpoint(body: bytes) -> AddCheckpoint:
    """Raises `MalformedRequest`."""
    try:
        head, blank, note = body.decode("utf-8").partition("\n\n")
    except UnicodeDecodeError:
        raise MalformedRequest("the body is not UTF-8") from None
    old, *hashes = head.split("\n")
    match = _OLD_SIZE.fullmatch(old)
    if not blank or match is None:
        raise MalformedRequest("the first line is not `old` and a size, or no checkpoint follows an empty line")
    if len(hashes) > HASHES_MAX:
        raise MalformedRequest(f"the proof has {len(hashes)} hashes; at most {HASHES_MAX} are allowed")
    return AddCheckpoint(int(match[1]), [_hash(line) for line in hashes], note)


def _hash(line: str) -> bytes:
    data = strict_base64(line)
    if data is None or len(data) != 32:
        raise MalformedRequest("a line of the proof is not the base64 of 32 bytes")
    return data
