"""What a witness remembers: the checkpoint that it cosigned last, in one file, locked by one process.

A lost file is an error, never a new beginning: the witness could then cosign a second history.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from events.errors import YesserError
from infra.log.signed_note import Checkpoint, InvalidNote, read_checkpoint
from infra.secret_files import sync_folder, write_private
from infra.witnesses.cosignature import Cosigner, cosigners_of


class NoState(YesserError):
    """The file of the last cosigned checkpoint is missing: restore it; only a new witness needs --first-run."""


class DamagedState(YesserError):
    """The file of the last cosigned checkpoint is not what this witness wrote: restore it from its copy."""


class AlreadyRunning(YesserError):
    """Another process is this witness: stop it first."""


class WitnessState:
    """The file at `path`. Raises `NoState` and `AlreadyRunning`."""

    def __init__(self, path: Path, *, first_run: bool = False) -> None:
        self._path = path
        if not first_run and not path.exists():
            raise NoState(f"{path}: {NoState.__doc__}")
        # A file of its own: the state's is replaced at each write.
        self._lock = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise AlreadyRunning(f"{path}: {AlreadyRunning.__doc__}") from None

    def read(self, cosigner: Cosigner, origin: str) -> Checkpoint | None:
        """The checkpoint that was cosigned last; None before the first. Raises `DamagedState`."""
        try:
            note = self._path.read_text(encoding="utf-8")
            if not cosigners_of(note, [cosigner]):
                raise InvalidNote(f"it has no cosignature of {cosigner.name}")
            return read_checkpoint(note.rpartition("\n\n")[0] + "\n", origin, note)
        except FileNotFoundError:
            return None
        except (InvalidNote, UnicodeDecodeError) as error:
            raise DamagedState(f"{self._path}: {error}. {DamagedState.__doc__}") from None

    def write(self, note: str) -> None:
        """Replace the file; returns when the new one is on disk, also after a power loss."""
        write_private(self._path, note)
        sync_folder(self._path.parent)

    def close(self) -> None:
        """Release the lock."""
        os.close(self._lock)
