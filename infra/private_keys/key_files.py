"""The private keys of one signer in their folder: the one that signs, the one before it, the one prepared as the next.

    NAME.skey            signs now
    NAME.skey.previous   signs beside it until the overlap ends; delete it afterwards
    NAME.skey.next       prepared; with its second line, `overlap-days N`, it is to replace the first
    NAME.vkey            the public half of the first
    NAME.history         the rotations, as they are published (`infra.log.key_history`)

The log's key is replaced by the registrar, which knows the tree. The rotation of a key that signs no checkpoints is
published while its successor is only prepared, so that several gateways publish it before one of them signs with it.

Each line of a key is the key itself, or says where a token has it (`infra.private_keys.token_key`). All private files
have the mode 0600. A file that should exist and does not is an error: no key is made in its place.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Self

from infra.log.key_history import KeyHistory, Transition, key_name, parse_transitions
from infra.log.signed_note import InvalidKey, InvalidNote, LogKey, PrivateKey, Verifier, parse_vkey
from infra.private_keys.private_file import read_private
from infra.private_keys.token_key import parse_private_key
from infra.secret_files import private_file, sync_folder, write_private
from infra.settings import Settings

CHECKPOINT_FILE: Final = "checkpoint"
_KEY_NAME: Final = re.compile(r"[^\s+]+")
_ACTIVATION: Final = re.compile(r"overlap-days ([0-9]{1,4})")


@dataclass(frozen=True, slots=True)
class KeyFiles:
    """The files of the signer `name` in `folder`, whose names begin with `stem`."""

    folder: Path
    stem: str
    name: str

    @property
    def current(self) -> Path:
        return self.folder / f"{self.stem}.skey"

    @property
    def previous(self) -> Path:
        return self.folder / f"{self.stem}.skey.previous"

    @property
    def next(self) -> Path:
        return self.folder / f"{self.stem}.skey.next"

    @property
    def vkey(self) -> Path:
        return self.folder / f"{self.stem}.vkey"

    @property
    def history(self) -> Path:
        return self.folder / f"{self.stem}.history"


def log_key_files(settings: Settings) -> KeyFiles:
    """The files of the log's key, which only the registrar reads."""
    return KeyFiles(settings.log_folder, "log", settings.log_origin)


class NoVerifier(InvalidKey):
    """The log's verifier key is missing, or is not well-formed: give the key that the log's operator gave you."""


def read_verifier(settings: Settings, vkey: str | None) -> Verifier:
    """The given key, else the one beside the registrar's own key. Raises `NoVerifier`, or `InvalidKey` for its file."""
    if vkey is not None:
        try:
            return parse_vkey(vkey)
        except InvalidKey as error:
            raise NoVerifier(f"--vkey: {error}") from error
    path = log_key_files(settings).vkey
    try:
        return parse_vkey(path.read_text(encoding="utf-8").strip())
    except FileNotFoundError:
        raise NoVerifier(f"{path} does not exist: start the log once (`yesser up`), or give --vkey") from None


def gateway_key_files(settings: Settings) -> KeyFiles:
    """The files of the key of the gateway's receipts."""
    return KeyFiles(settings.home / "gateway", "gateway", settings.gateway_name)


@dataclass(frozen=True, slots=True)
class NextKey:
    """A prepared key. `overlap_days` is None until it is to replace the current one."""

    key: PrivateKey
    overlap_days: int | None = None


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys that sign, and the history of their public halves. `previous` is None where its file is gone."""

    current: PrivateKey
    previous: PrivateKey | None
    history: KeyHistory

    @classmethod
    def of(cls, key: PrivateKey) -> Self:
        """The ring of a key that was never rotated."""
        return cls(key, None, KeyHistory((key.verifier,)))

    def overlaps(self, now: datetime) -> bool:
        """Whether the key that was replaced last should still sign beside the current one."""
        steps = self.history.transitions
        return bool(steps) and now < datetime.fromisoformat(steps[-1].overlap_until)

    def signing(self, now: datetime) -> list[PrivateKey]:
        """The keys that sign now."""
        return [self.current, *([self.previous] if self.previous and self.overlaps(now) else [])]

    def fault(self, now: datetime) -> str | None:
        """What an operator must mend while the current key goes on signing."""
        if self.overlaps(now) and self.previous is None:
            return (
                f"the key {key_name(self.history.transitions[-1].old)} should sign until"
                f" {self.history.transitions[-1].overlap_until}, but its file is gone: put it back from its copy"
                " (`yesser keys import`)"
            )
        return None


def load_keys(files: KeyFiles, stored: Sequence[Transition] = ()) -> KeyRing:
    """The keys of the folder. `stored` are rotations that another place knows; the longer history holds.

    A rotation that was decided but not completed in the files is completed. Raises `InvalidKey`.
    """
    # Read first: a rotation beside this replaces the current key before it takes the next one away.
    following = _read(files, files.next)
    held = [key for key in (_read(files, files.current), following, _read(files, files.previous)) if key]
    history = _history(files, held, stored)
    if history is None or not files.current.exists():
        raise InvalidKey(f"{files.current} is gone: put the file back from its copy (`yesser keys import`)")
    by_public = {key.verifier: key for key in held}
    if _is_only_prepared(files, history):
        ring = KeyRing(by_public[history.transitions[-1].old], None, history)
        _settle(files, ring)
        return ring
    if history.current not in by_public:
        last = history.transitions[-1]
        raise InvalidKey(
            f"{files.current} holds a key that {key_name(last.new)} replaced at size {last.size}: import the new key "
            "with `yesser keys import`"
        )
    previous = by_public.get(history.transitions[-1].old) if history.transitions else None
    ring = KeyRing(by_public[history.current], previous, history)
    _require_published(files, history)
    _settle(files, ring)
    return ring


def load_or_create_keys(files: KeyFiles, first: PrivateKey | None = None) -> KeyRing:
    """Like `load_keys`; the key is created once, readable by its owner only, and on disk before it is used. It is
    `first` where that is given.

    No new key is created where something was signed or the public half was published: that key is lost.
    """
    # In this order: a concurrent process writes the key before the other files.
    traces = (files.folder / CHECKPOINT_FILE, files.vkey, files.history, files.previous)
    was_made = any(path.exists() for path in traces)
    if not was_made and not files.current.exists():
        _create(files, first)
    return load_keys(files)


def next_key(files: KeyFiles) -> NextKey | None:
    """The prepared key."""
    key = _read(files, files.next)
    if key is None:
        return None
    _, _, second = files.next.read_text(encoding="utf-8").strip().partition("\n")
    match = _ACTIVATION.fullmatch(second.strip())
    return NextKey(key, int(match[1]) if match else None)


def write_next(files: KeyFiles, prepared: NextKey) -> None:
    """Store a prepared key, and that it is to replace the current one if `overlap_days` is given."""
    activation = "" if prepared.overlap_days is None else f"overlap-days {prepared.overlap_days}\n"
    write_private(files.next, f"{prepared.key.skey}\n{activation}")
    sync_folder(files.folder)


def adopt(files: KeyFiles, transition: Transition) -> KeyRing:
    """Complete a rotation in the files, once it is stored; returns the keys that sign from now on."""
    return load_keys(files, [*load_keys(files).history.transitions, transition])


def _read(files: KeyFiles, path: Path) -> PrivateKey | None:
    text = read_private(path)
    if text is None:
        return None
    try:
        key = parse_private_key(text.partition("\n")[0])
    except InvalidKey as error:
        raise InvalidKey(f"{path} holds no key ({error}): put the file back from its copy") from error
    if key.name != files.name:
        raise InvalidKey(f"{path} belongs to {key.name!r}, but the settings name {files.name!r}")
    return key


def _history(files: KeyFiles, held: Sequence[PrivateKey], stored: Sequence[Transition]) -> KeyHistory | None:
    """The longer of the two histories; None where no key is held that begins one."""
    try:
        own = parse_transitions(files.history.read_text(encoding="utf-8")) if files.history.exists() else []
    except (InvalidNote, UnicodeDecodeError) as error:
        raise InvalidKey(f"{files.history} is damaged ({error}): put the file back from its copy") from error
    candidates = [steps for steps in (own, [*stored]) if steps]
    if not candidates:
        # A prepared key alone has signed nothing.
        return KeyHistory((held[0].verifier,)) if held and files.current.exists() else None
    if not held:
        return None
    try:
        histories = [KeyHistory.of(steps[0].old, steps) for steps in candidates]
        history = histories[0].continued(histories[-1])
        held_keys = [key.verifier for key in held]
        return KeyHistory.of(next((k for k in held_keys if k in history.keys), held_keys[0]), history.transitions)
    except InvalidNote as error:
        raise InvalidKey(
            f"the history of keys (log.key_history, {files.history}) is not that of {files.current}: {error}; put the "
            "folder back from its copy, else someone wrote to the database"
        ) from error


def _is_only_prepared(files: KeyFiles, history: KeyHistory) -> bool:
    """Whether the last rotation is published, and the key before it still signs."""
    if not history.transitions or history.transitions[-1].tree is not None:
        return False
    prepared = next_key(files)
    return prepared is not None and prepared.overlap_days is None and prepared.key.verifier == history.current


def _require_published(files: KeyFiles, history: KeyHistory) -> None:
    """The public half that was published must be one of the history's keys."""
    if not files.vkey.exists():
        return
    named = files.vkey.read_text(encoding="utf-8", errors="replace").strip()
    if named not in {key.vkey for key in history.keys}:
        raise InvalidKey(
            f"{files.vkey} names the public key {named!r}, but that of {files.current} is {history.current.vkey!r}: "
            "put both files back from their copies"
        )


def _settle(files: KeyFiles, ring: KeyRing) -> None:
    """Bring the files in line with the history: each step can be repeated after an interruption."""
    if ring.history.transitions:
        write_private(files.history, ring.history.text())
    if _read(files, files.current) != ring.current:
        if ring.previous is not None:
            write_private(files.previous, ring.previous.skey + "\n")
        write_private(files.current, ring.current.skey + "\n")
        sync_folder(files.folder)
    if files.next.exists() and _read(files, files.next) == ring.current:
        files.next.unlink(missing_ok=True)  # another process may settle them at the same time
    vkey = ring.current.verifier.vkey
    if not files.vkey.exists() or files.vkey.read_text(encoding="utf-8", errors="replace").strip() != vkey:
        with private_file(files.vkey, mode=0o644) as file:
            file.write(f"{vkey}\n".encode())
    sync_folder(files.folder)


def _create(files: KeyFiles, key: PrivateKey | None) -> None:
    if not _KEY_NAME.fullmatch(files.name):
        raise InvalidKey(f"the key's name {files.name!r} may contain neither spaces nor '+'")
    files.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = files.folder / f"{files.current.name}.{os.getpid()}"
    write_private(temporary, (key or LogKey(files.name, os.urandom(32))).skey + "\n")
    try:
        # A link, unlike a rename, fails if another process was first: exactly one complete key is created.
        os.link(temporary, files.current)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
    sync_folder(files.folder)
