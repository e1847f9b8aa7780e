"""The keys of this machine: what each is for, what it does now, until when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from infra.keys.hash_keys import HashKeyFiles, load_hash_keys
from infra.keys.key_export import FILES, Purpose, here
from infra.log.key_history import key_name
from infra.log.signed_note import InvalidKey
from infra.private_keys.key_files import KeyFiles, load_keys, next_key
from infra.settings import Settings

State = Literal["in use", "overlap", "replaced", "prepared", "requested", "wrong"]
"""`overlap`: still valid beside its successor; `replaced`: its file should be deleted; `wrong`: see `fault`."""


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One key. `tokens`: valid tokens whose hash needs it, None where the database was not asked."""

    purpose: Purpose
    key: str
    state: State
    file: str = ""
    until: str | None = None
    tokens: int | None = None
    fault: str | None = None


def list_keys(settings: Settings, now: datetime, tokens: Mapping[str | None, int] | None) -> list[KeyRow]:
    """The keys whose files are here. A purpose whose files are not in order is one row that says so."""
    rows: list[KeyRow] = []
    for purpose in here(settings):
        try:
            files = FILES[purpose](settings)
            if isinstance(files, KeyFiles):
                rows += _signing_keys(purpose, files, now)
            else:
                rows += _hash_keys(purpose, files, now, tokens if purpose == "tokens" else None)
        except InvalidKey as error:
            rows.append(KeyRow(purpose, "", "wrong", fault=str(error)))
    return rows


def _signing_keys(purpose: Purpose, files: KeyFiles, now: datetime) -> list[KeyRow]:
    ring = load_keys(files)
    rows = [KeyRow(purpose, key_name(ring.current.verifier), "in use", str(files.current), fault=ring.fault(now))]
    if ring.previous is not None:
        until = ring.history.transitions[-1].overlap_until
        state: State = "overlap" if ring.overlaps(now) else "replaced"
        rows.append(KeyRow(purpose, key_name(ring.previous.verifier), state, str(files.previous), until))
    prepared = next_key(files)
    if prepared is not None:
        state = "prepared" if prepared.overlap_days is None else "requested"
        rows.append(KeyRow(purpose, key_name(prepared.key.verifier), state, str(files.next)))
    return rows


def _hash_keys(
    purpose: Purpose, files: HashKeyFiles, now: datetime, tokens: Mapping[str | None, int] | None
) -> list[KeyRow]:
    keys = load_hash_keys(files)

    def count(key_id: str) -> int | None:
        return None if tokens is None else tokens.get(key_id, 0)

    rows = [KeyRow(purpose, keys.current.key_id, "in use", str(files.current), tokens=count(keys.current.key_id))]
    if keys.previous is not None:
        key, until = keys.previous, keys.previous.until
        state: State = "overlap" if until is None or now < until else "replaced"
        ends = None if until is None else until.isoformat()
        rows.append(KeyRow(purpose, key.key_id, state, str(files.previous), ends, count(key.key_id)))
    if keys.next is not None:
        rows.append(KeyRow(purpose, keys.next.key_id, "prepared", str(files.next), tokens=count(keys.next.key_id)))
    return rows
