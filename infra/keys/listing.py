"""The keys of this machine: what each is for, what it does now, until when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from infra.keys.carrying import PURPOSES, Purpose, here
from infra.keys.hash_keys import (
    HashKeyFiles,
    accounts_key_files,
    console_key_files,
    endpoint_key_files,
    hash_key_files,
    load_hash_keys,
)
from infra.keys.team_seals import team_key_files
from infra.log.key_history import key_name
from infra.log.signed_note import InvalidKey
from infra.private_keys.key_files import KeyFiles, gateway_key_files, load_keys, log_key_files, next_key
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
    found: list[KeyRow] = []
    for purpose in PURPOSES:
        if purpose not in here(settings):
            continue
        try:
            if purpose == "tokens":
                found += _hash_keys(purpose, hash_key_files(settings), now, tokens)
            elif purpose == "console":
                found += _hash_keys(purpose, console_key_files(settings), now)
            elif purpose == "accounts":
                found += _hash_keys(purpose, accounts_key_files(settings), now)
            elif purpose == "webhooks":
                found += _hash_keys(purpose, endpoint_key_files(settings), now)
            elif purpose == "teams":
                found += _hash_keys(purpose, team_key_files(settings), now)
            else:
                signer = log_key_files(settings) if purpose == "log" else gateway_key_files(settings)
                found += _signing_keys(purpose, signer, now)
        except InvalidKey as error:
            found.append(KeyRow(purpose, "", "wrong", fault=str(error)))
    return found


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
    purpose: Purpose, files: HashKeyFiles, now: datetime, tokens: Mapping[str | None, int] | None = None
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
