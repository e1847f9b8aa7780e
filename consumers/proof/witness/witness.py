"""Decides on requests `add-checkpoint` (C2SP tlog-witness), and cosigns what continues the checkpoint before.

Flows in: a request's body and the time. Flows out: the answer, after the new checkpoint is on disk. Requests are
decided one at a time, so that no earlier checkpoint replaces a later one.

What a witness remembers: the checkpoint that it cosigned last, in one file, locked by one process.

A lost file is an error, never a new beginning: the witness could then cosign a second history.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

from events.errors import YesserError
from infra.log.merkle import EMPTY_ROOT
from infra.log.proofs import verify_consistency
from infra.log.signed_note import Checkpoint, InvalidNote, Verifier, known_signers, read_checkpoint, split_note
from infra.secret_files import sync_folder, write_private
from infra.witnesses.add_checkpoint import SIZE_TYPE, AddCheckpoint, MalformedRequest, parse_add_checkpoint
from infra.witnesses.cosignature import Cosigner, WitnessKey, cosign, cosigner_of, cosigners_of

TEXT_TYPE: Final = "text/plain; charset=utf-8"


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


@dataclass(frozen=True, slots=True)
class WitnessAnswer:
    """An HTTP answer."""

    status: HTTPStatus
    body: str
    type: str = TEXT_TYPE


class Witness:
    """Cosigns one log with `key`. `log_keys` are the verifier keys of that log: several after a rotation.

    Raises `DamagedState` where the state is not this witness's.
    """

    def __init__(self, key: WitnessKey, log_keys: Sequence[Verifier], state: WitnessState) -> None:
        self._key = key
        self._log_keys = log_keys
        self._state = state
        self.last = state.read(cosigner_of(key), log_keys[0].name)

    def add_checkpoint(self, body: bytes, time_s: int) -> WitnessAnswer:
        """The answer to a request. Where it cosigns, the checkpoint is on disk first."""
        try:
            request = parse_add_checkpoint(body)
        except MalformedRequest as error:
            return WitnessAnswer(HTTPStatus.BAD_REQUEST, f"{error}\n")
        decision = decide(request, self._log_keys, self.last)
        if isinstance(decision, WitnessAnswer):
            return decision
        note = signed_by_log(decision.note, self._log_keys)
        line = cosign(self._key, note.rpartition("\n\n")[0] + "\n", time_s)
        self._state.write(note + line)
        self.last = decision
        return WitnessAnswer(HTTPStatus.OK, line)


def signed_by_log(note: str, log_keys: Sequence[Verifier]) -> str:
    """A verified note with one signature of each key of the log, and without the lines that anybody could add: too many
    of them, or a false one of this witness, would make the state unreadable."""
    text, lines = split_note(note)
    own: dict[Verifier, str] = {}
    for line in lines:
        for key in known_signers(f"{text}\n{line}\n", log_keys)[1]:
            own.setdefault(key, f"{line}\n")
    return f"{text}\n{''.join(own.values())}"


def decide(request: AddCheckpoint, log_keys: Sequence[Verifier], last: Checkpoint | None) -> Checkpoint | WitnessAnswer:
    """The checkpoint to cosign, or the refusal, by the rules of tlog-witness. `last` was cosigned last."""
    origin = log_keys[0].name
    if request.note.partition("\n")[0] != origin:
        return WitnessAnswer(HTTPStatus.NOT_FOUND, f"this witness knows the log {origin} only\n")
    try:
        text, signers = known_signers(request.note, log_keys)
        if not signers:
            return WitnessAnswer(HTTPStatus.FORBIDDEN, f"no key of {origin} that is known here signed the checkpoint\n")
        new = read_checkpoint(text, origin, request.note)
    except InvalidNote as error:
        return WitnessAnswer(HTTPStatus.FORBIDDEN, f"{error}\n")
    last_size, last_root = (0, EMPTY_ROOT) if last is None else (last.size, last.root)
    if request.old_size > new.size:
        return WitnessAnswer(HTTPStatus.BAD_REQUEST, f"the old size {request.old_size} is beyond the size {new.size}\n")
    if request.old_size != last_size:
        return WitnessAnswer(HTTPStatus.CONFLICT, f"{last_size}\n", SIZE_TYPE)
    if new.size == last_size and new.root != last_root:
        return WitnessAnswer(HTTPStatus.CONFLICT, f"another tree of {last_size} entries was cosigned here\n")
    if not verify_consistency(last_size, last_root, new.size, new.root, request.proof):
        return WitnessAnswer(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"the proof does not show that the tree of {new.size} entries continues the one of {last_size}\n",
        )
    return new
