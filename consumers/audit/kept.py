"""The last checkpoint that an auditor accepted, kept by the auditor: the log must continue it.

A log that shrinks, or shows this auditor another history than before, is found here, whatever its server says.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from consumers.audit.authenticated import AuthenticatedLog
from consumers.audit.port import LogPort
from consumers.audit.tree import WrongTree
from events.errors import Tampered
from infra.log.key_history import KeyHistory, key_name
from infra.log.proofs import tree_root
from infra.log.signed_note import Checkpoint, InvalidNote, Verifier


class ForkedLog(Tampered):
    """The log does not continue a checkpoint that was accepted: keep both, and find out who signed two histories."""


class DamagedCheckpoint(Tampered):
    """A kept checkpoint cannot be read: restore the file, or delete it and verify the whole log again."""


def state_folder() -> Path:
    """Where commands keep checkpoints: `yesser/checkpoints` in the user's state folder (XDG)."""
    given = os.environ.get("XDG_STATE_HOME")
    return (Path(given) if given else Path.home() / ".local" / "state") / "yesser" / "checkpoints"


class KeptCheckpoint:
    """The files of one log's last accepted checkpoints, by its name and the verifier key that the auditor gives.

    Logs of the same name with other keys, as each trial installation has, are other logs.
    """

    def __init__(self, folder: Path, verifier: Verifier) -> None:
        self._folder = folder
        self.path = self._path(verifier)

    def read(self, history: KeyHistory) -> Checkpoint | None:
        """The newest that was kept under any key of the log's history; None before the first.

        Raises `DamagedCheckpoint`, also where no key of the history signed it.
        """
        found = [self._read(self._path(key), history) for key in history.keys]
        return max((kept for kept in found if kept is not None), key=lambda kept: kept.size, default=None)

    def write(self, checkpoint: Checkpoint) -> None:
        """Replace the file. If that is lost in a power loss, the older one still holds."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(self.path, checkpoint.note.encode())

    def _path(self, key: Verifier) -> Path:
        return self._folder / f"{re.sub(r'[^A-Za-z0-9.-]', '_', key.name)}+{key.key_id.hex()}.checkpoint"

    @staticmethod
    def _read(path: Path, history: KeyHistory) -> Checkpoint | None:
        try:
            return history.parse_checkpoint(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (InvalidNote, UnicodeDecodeError) as error:
            raise DamagedCheckpoint(f"{path}: {error}. {DamagedCheckpoint.__doc__}") from None


async def require_continuation(port: LogPort, old: Checkpoint, new: Checkpoint, keeper: str) -> None:
    """Raise `ForkedLog` unless the log of `new` has the tree of `old` as its beginning.

    What the server says of the old tree is believed only as a part of the new one: else it could show each of two
    histories where it fits. Raises `WrongTree` for hashes that do not lead to the new root.
    """
    if old.size > new.size:
        raise ForkedLog(
            f"{keeper} holds a checkpoint of size {old.size}, but the log's newest is of size {new.size}: the log lost "
            "its tail"
        )
    if await _root_within(port, new, old.size) != old.root:
        raise ForkedLog(
            f"the log's first {old.size} entries do not give the signed root that {keeper} holds: keep both, "
            "and find out who signed two histories"
        )


async def require_rotations(port: LogPort, history: KeyHistory, checkpoint: Checkpoint) -> None:
    """Raise `WrongTree` unless each rotation of the log's key up to the checkpoint names the root of this log."""
    for step in history.transitions:
        if step.tree is None or step.size > checkpoint.size:
            continue
        if await _root_within(port, checkpoint, step.size) != step.tree[1]:
            raise WrongTree(
                f"the first {step.size} entries do not give the root at which the key {key_name(step.new)} took over: "
                "keep everything, and find out who signed two histories"
            )


async def _root_within(port: LogPort, checkpoint: Checkpoint, size: int) -> bytes:
    """The root of the first `size` entries of a checkpoint's tree, proven."""
    if size == checkpoint.size:
        return checkpoint.root
    return await tree_root(AuthenticatedLog(port, checkpoint), size)


def replace_file(path: Path, data: bytes) -> None:
    """Write a file atomically."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(data)
    temporary.replace(path)
