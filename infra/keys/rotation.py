"""Rotating a key: prepare its successor, so that other machines can have it first, then put it in use.

The log's key is replaced by the registrar, at a size that it knows; here that is only requested.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from events.errors import YesserError
from infra.keys.hash_keys import (
    HashKey,
    HashKeyFiles,
    HashKeys,
    load_hash_keys,
    new_hash_key,
    write_rotated,
)
from infra.log.key_history import key_name, sign_transition
from infra.log.signed_note import LogKey
from infra.private_keys.key_files import (
    KeyFiles,
    KeyRing,
    NextKey,
    adopt,
    load_keys,
    load_or_create_keys,
    next_key,
    write_next,
)
from infra.private_keys.token_key import is_in_file, registered_key
from infra.secret_files import write_private

State = Literal["registered", "prepared", "requested", "rotated"]
_POLL_S: Final = 0.2


class CannotRotate(YesserError):
    """The key cannot be rotated now; the message says why."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """What was done. `size` is the log's at the rotation of its key; `old` is empty for a first key."""

    old: str
    new: str
    state: State
    size: int | None = None


def register_log_key(files: KeyFiles, uri: str) -> Rotation:
    """Make a key in a token the log's first one, or prepare it as the next one."""
    made = registered_key(files.name, uri)
    name = key_name(made.verifier)
    if not files.current.exists():
        # Raises where a key was used here before and its file is missing.
        load_or_create_keys(files, made)
        return Rotation("", name, "registered")
    ring, prepared = load_keys(files), next_key(files)
    if prepared is not None and prepared.key.verifier != made.verifier:
        raise CannotRotate(
            f"the key {key_name(prepared.key.verifier)} is prepared already: put it in use, or delete {files.next}"
        )
    if made.verifier in ring.history.keys:
        raise CannotRotate(f"the log has or had the key {name} already: make another one in the token")
    write_next(files, prepared or NextKey(made))
    return Rotation(key_name(ring.current.verifier), name, "prepared")


def prepare_log_key(files: KeyFiles, *, in_file: bool = False) -> Rotation:
    """Make the next key, if there is none yet. `in_file`: also where the current one is in a token."""
    ring = load_keys(files)
    prepared = next_key(files) or _next_in_file(files, ring, in_file)
    write_next(files, prepared)
    return Rotation(key_name(ring.current.verifier), key_name(prepared.key.verifier), "prepared")


def request_log_rotation(
    files: KeyFiles, overlap_days: int, now: datetime, timeout_s: float, *, in_file: bool = False
) -> Rotation:
    """Ask the registrar of this machine to put the next key in use, and wait until it has."""
    ring = load_keys(files)
    _require_no_overlap(ring, overlap_days, now)
    prepared = next_key(files) or _next_in_file(files, ring, in_file)
    write_next(files, NextKey(prepared.key, overlap_days))
    old, new = key_name(ring.current.verifier), key_name(prepared.key.verifier)
    if _until(lambda: load_keys(files).current == prepared.key, timeout_s):
        return Rotation(old, new, "rotated", load_keys(files).history.size)
    return Rotation(old, new, "requested")


def prepare_gateway_key(files: KeyFiles, overlap_days: int, now: datetime) -> Rotation:
    """Make the gateway's next key and publish the rotation; the key before it goes on signing."""
    ring = load_keys(files)
    prepared = next_key(files)
    if prepared is None:
        _require_no_overlap(ring, overlap_days, now)
        prepared = NextKey(_new_key(files))
        write_next(files, prepared)
    if prepared.key.verifier not in ring.history.keys:
        step = sign_transition(ring.current, prepared.key, now + timedelta(days=overlap_days), None)
        adopt(files, step)
    return Rotation(key_name(ring.current.verifier), key_name(prepared.key.verifier), "prepared")


def rotate_gateway_key(files: KeyFiles, overlap_days: int, now: datetime) -> Rotation:
    """Put the gateway's next key in use; a running gateway notices within seconds."""
    done = prepare_gateway_key(files, overlap_days, now)
    prepared = next_key(files)
    assert prepared is not None
    write_next(files, NextKey(prepared.key, overlap_days))
    load_keys(files)
    return Rotation(done.old, done.new, "rotated")


def prepare_hash_key(files: HashKeyFiles) -> Rotation:
    """Make the next key: what it makes is accepted, and it makes nothing yet."""
    keys = load_hash_keys(files)
    made = keys.next or new_hash_key()
    write_private(files.next, made.text)
    return Rotation(keys.current.key_id, made.key_id, "prepared")


def begin_hash_rotation(files: HashKeyFiles, overlap_days: int, now: datetime) -> HashKeys:
    """Make the next key, unless one is prepared, under which rows can be sealed again before `rotate_hash_key`.

    Where a rotation was interrupted at its end, the keys as they are: the current one is the new one. Raises
    `CannotRotate`.
    """
    keys = load_hash_keys(files)
    if keys.next is None and files.next.exists():
        return keys
    require_no_hash_overlap(keys, overlap_days, now)
    prepare_hash_key(files)
    return load_hash_keys(files)


def rotate_hash_key(files: HashKeyFiles, overlap_days: int, now: datetime) -> Rotation:
    """Put the next key in use; what was made with the key before is valid until the overlap ends."""
    keys = load_hash_keys(files)
    if keys.previous is not None and keys.next is None and files.next.exists():  # the end of an interrupted rotation
        files.next.unlink()
        return Rotation(keys.previous.key_id, keys.current.key_id, "rotated")
    require_no_hash_overlap(keys, overlap_days, now)
    new = keys.next or new_hash_key()
    until = now + timedelta(days=overlap_days)
    write_rotated(files, HashKeys(new, HashKey(keys.current.text, until)))
    return Rotation(keys.current.key_id, new.key_id, "rotated")


def require_no_hash_overlap(keys: HashKeys, overlap_days: int, now: datetime) -> None:
    """Raises `CannotRotate` while the key before the current one is valid, unless no overlap is wanted any more."""
    previous = keys.previous
    if previous is not None and previous.text == keys.current.text:  # of a rotation that was interrupted
        return
    if overlap_days and previous is not None and previous.until is not None and now < previous.until:
        raise CannotRotate(
            f"the key {previous.key_id} is still valid, until {previous.until}: rotate after that, or with "
            "`--overlap 0`, which ends all that was made with the keys before"
        )


def _require_no_overlap(ring: KeyRing, overlap_days: int, now: datetime) -> None:
    """A third key at once would need a third signature: an overlap ends first, unless none is wanted any more."""
    if overlap_days and ring.overlaps(now):
        step = ring.history.transitions[-1]
        raise CannotRotate(
            f"the keys {key_name(step.old)} and {key_name(step.new)} overlap until {step.overlap_until}: rotate after "
            "that, or with `--overlap 0`, which ends both at once"
        )


def _next_in_file(files: KeyFiles, ring: KeyRing, in_file: bool) -> NextKey:
    """No key leaves a token for a file unless that is asked for."""
    if not in_file and not is_in_file(ring.current):
        raise CannotRotate(
            "the log's key is in a token, and no next one is prepared: make one there and give its address to `yesser "
            "keys register`; `--file` makes the next one in a file"
        )
    return NextKey(_new_key(files))


def _new_key(files: KeyFiles) -> LogKey:
    return LogKey(files.name, os.urandom(32))


def _until(done: Callable[[], bool], timeout_s: float) -> bool:
    deadline = time.monotonic() + timeout_s
    while not done():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_S)
    return True
