"""The last checkpoint that an auditor accepted, kept by the auditor: the log must continue it.

A log that shrinks, or shows this auditor another history than before, is found here, whatever its server says.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from consumers.proof.audit.authenticated import AuthenticatedLog
from events.errors import Retry, Tampered, YesserError
from infra.log.key_history import KeyHistory, key_name
from infra.log.ports.port import LogPort
from infra.log.ports.tree import WrongTree
from infra.log.proofs import tree_root
from infra.log.signed_note import (
    Checkpoint,
    InvalidNote,
    Verifier,
    known_signers,
    read_checkpoint,
    signature_lines,
    split_note,
)


class ForkedLog(Tampered):
    """The log does not continue a checkpoint that was accepted: keep both, and find out who signed two histories."""


class OtherKeys(ForkedLog):
    """The log's keys are not those that a kept checkpoint names: its server withholds or replaced its rotations."""


class OlderCopy(ForkedLog):
    """A folder holds fewer entries than were accepted: it is an older copy, or its log lost its tail."""


class AcceptedMeanwhile(Retry):
    """Another command accepted a checkpoint while this one was at work: run it again, to compare with that one."""


class NotKept(YesserError):
    """The accepted checkpoint cannot be stored: name a folder that you may write to with --state."""


class DamagedCheckpoint(Tampered):
    """A kept checkpoint cannot be read: restore the file, or delete it and verify the whole log again."""


def state_folder() -> Path:
    """Where commands keep checkpoints: `yesser/checkpoints` in the user's state folder (XDG)."""
    state_home = os.environ.get("XDG_STATE_HOME")
    return (Path(state_home) if state_home else Path.home() / ".local" / "state") / "yesser" / "checkpoints"


class KeptCheckpoint:
    """The files of one log's last accepted checkpoints, by its name and the verifier key that the auditor gives.

    Logs of the same name with other keys, as each trial installation has, are other logs, unless one key signed both.
    """

    def __init__(self, folder: Path, verifier: Verifier) -> None:
        self._folder = folder
        self._name = verifier.name
        self.path = self._path(verifier)
        self._continued: str | None = None
        """The note in the file when it was read: what is written continues that one."""

    def prepare(self) -> None:
        """Make the folder. Raises `NotKept`."""
        with _storing(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)

    def read(self, history: KeyHistory) -> Checkpoint | None:
        """The newest that was kept under a key of the log's history, or that one of them signed; None before the first.

        Raises `DamagedCheckpoint`, and `OtherKeys` where the history does not have the key that signed it.
        """
        self._continued = _note(self.path)
        checkpoints = [self._read(self._path(key), history) for key in history.keys]
        checkpoints += [_signed(path, history) for path in self._of_other_keys(history)]
        return max((kept for kept in checkpoints if kept is not None), key=lambda kept: kept.size, default=None)

    def strangers(self, history: KeyHistory) -> list[Path]:
        """Files of a log of this name that no key of the history signed: of another log, or of withheld rotations."""
        return [path for path in self._of_other_keys(history) if _signed(path, history) is None]

    def write(self, checkpoint: Checkpoint) -> None:
        """Replace the file by a checkpoint that continues what was read. If that is lost in a power loss, the older one
        still holds.

        Raises `AcceptedMeanwhile` where the file is another one by now, `ForkedLog` where that is another tree of the
        same size, and `NotKept`.
        """
        self.prepare()
        with _locked(self._folder):
            last = self.last()
            if last is not None and last.size == checkpoint.size:
                require_same_root(checkpoint.root, last, str(self.path))
            elif last is not None and last.note != self._continued:
                raise AcceptedMeanwhile(f"{self.path}: {AcceptedMeanwhile.__doc__}")
            if last is None or last.note != checkpoint.note:
                with _storing(self._folder):
                    replace_file(self.path, checkpoint.note.encode())
            self._continued = checkpoint.note

    def last(self) -> Checkpoint | None:
        """What the file holds, whichever key signed it. Raises `DamagedCheckpoint`."""
        note = _note(self.path)
        try:
            return None if note is None else read_checkpoint(split_note(note)[0], self._name, note)
        except InvalidNote as error:
            raise _damaged(self.path, error) from None

    def require_same(self, size: int, root: bytes) -> None:
        """Raise `ForkedLog` where the file holds another root of this size; a proof shows no other size."""
        old = self.last()
        if old is not None and old.size == size:
            require_same_root(root, old, str(self.path))

    def _path(self, key: Verifier) -> Path:
        return self._folder / f"{_stem(key.name)}+{key.key_id.hex()}.checkpoint"

    def _of_other_keys(self, history: KeyHistory) -> list[Path]:
        own = {self._path(key) for key in history.keys}
        return sorted(set(self._folder.glob(f"{_stem(self._name)}+*.checkpoint")) - own)

    @staticmethod
    def _read(path: Path, history: KeyHistory) -> Checkpoint | None:
        note = _note(path)
        try:
            return None if note is None else history.parse_checkpoint(note)
        except InvalidNote as error:
            raise _fault(path, note or "", history, error) from None


def _note(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise _damaged(path, error) from None


def _signed(path: Path, history: KeyHistory) -> Checkpoint | None:
    """The checkpoint in a file that may be another log's; None where no key of the history signed it."""
    try:
        return history.parse_checkpoint(path.read_text(encoding="utf-8"))
    except (InvalidNote, UnicodeDecodeError, FileNotFoundError):
        return None


def _fault(path: Path, note: str, history: KeyHistory, error: InvalidNote) -> Tampered:
    """Why the history does not verify a kept note. Deleting a sound one would accept what the server shows now."""
    name = history.current.name
    try:
        text, signers = known_signers(note, history.keys)
        read_checkpoint(text, name, note)
    except InvalidNote:
        return _damaged(path, error)
    known = {key.key_id for key in history.keys}
    unknown = [f"{name}+{found.hex()}" for by, found, _ in signature_lines(note) if by == name and found not in known]
    if not signers and not unknown:
        return _damaged(path, error)
    fault = f"signed by {', '.join(unknown)}, which its `keys` do not name" if not signers else str(error)
    return OtherKeys(
        f"{path} holds a checkpoint that you accepted of this log ({fault}): its server withholds or replaced the "
        "rotations of its key. Keep the file, and compare with the log at another address and with other auditors"
    )


def _damaged(path: Path, error: Exception) -> DamagedCheckpoint:
    return DamagedCheckpoint(f"{path}: {error}. {DamagedCheckpoint.__doc__}")


def _stem(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9.-]", "_", name)


@contextmanager
def _storing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise NotKept(f"{folder}: {error.strerror}. {NotKept.__doc__}") from error


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One command at a time. The folder is locked, because its files are replaced."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system without locks: the comparison alone must do
            fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)


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
    require_same_root(await _root_within(port, new, old.size), old, keeper)


def require_same_root(found: bytes, old: Checkpoint, keeper: str) -> None:
    """Raise `ForkedLog` unless the log's first entries give the root of the checkpoint that was accepted."""
    if found != old.root:
        raise ForkedLog(
            f"the log's first {old.size} entries do not give the signed root that {keeper} holds: keep both, "
            "and find out who signed two histories"
        )


def require_reached(history: KeyHistory, given: Verifier, checkpoint: Checkpoint) -> None:
    """Raise `ForkedLog` where the log ends before the key that the auditor gave took over: an earlier key, which may be
    stolen, signed what is there."""
    for step in history.transitions:
        if step.new == given and checkpoint.size < step.size:
            raise ForkedLog(
                f"the log has {checkpoint.size} entries, but the key {key_name(given)} took over at {step.size}: "
                "it lost its tail, or a replaced key signed another history"
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
