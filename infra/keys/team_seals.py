"""Seals of what teams manage: teams with their contacts, webhooks, subscriptions.

Flows in: rows of these tables, and the key that those who write them have (the gateway, `yesser teams`, `webhooks` and
`subscriptions`) and the delivery process, which sends nothing by a row that has not its seal. Flows out: a keyed hash
of what a row says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from infra.keys.hash_keys import HashKeyFiles, HashKeys, load_hash_keys
from infra.keys.seals import Members, Seals
from infra.secret_files import TEAMS_KEY
from infra.settings import Settings

Table: TypeAlias = Literal["delivery.team", "delivery.endpoint", "delivery.subscription"]
MEMBERS: Final[Mapping[Table, Sequence[str]]] = {
    "delivery.team": ("agency", "team", "name", "language"),
    "delivery.endpoint": ("endpoint_id", "agency", "team"),
    "delivery.subscription": (
        "subscription_id",
        "agency",
        "team",
        "route",
        "endpoint_id",
        "rules",
        "services",
        "channels",
        "types",
        "from_index",
        "backfill_to",
    ),
}
"""The columns that a seal covers, beside the address or URL and whether it was ended."""


class TeamSeals:
    """Makes seals under one key, and compares them under each that is valid."""

    def __init__(self, keys: HashKeys, now: datetime) -> None:
        """What is new is sealed under the next key, if there is one: every process that has the files knows it."""
        self._sealing = Seals((keys.next or keys.current).secret)
        self._valid = [Seals(key.secret) for key in keys.valid(now)]

    @classmethod
    def of(cls, settings: Settings, path: Path | None = None) -> TeamSeals:
        """Under the keys of the settings, or of the file `path`. Raises `InvalidKey`."""
        return cls(load_hash_keys(team_key_files(settings, path)), datetime.now(UTC))

    def seal(self, table: Table, row: Mapping[str, Any]) -> bytes:
        """The seal of a row. `row` has the address or URL, or only its hash, which is all that an auditor reads."""
        return self._sealing.seal(_purpose(table), _members(table, row))

    def is_sealed(self, table: Table, row: Mapping[str, Any]) -> bool:
        """Whether the row has its seal."""
        members = _members(table, row)
        return any(seals.is_seal(row["seal"], _purpose(table), members) for seals in self._valid)


def team_key_files(settings: Settings, path: Path | None = None) -> HashKeyFiles:
    """The files of the key."""
    return HashKeyFiles(
        path or settings.secret_path(*TEAMS_KEY), settings.secrets is not None, "nothing would be sent to a team"
    )


def _purpose(table: Table) -> bytes:
    return f"{table}/".encode()


def _members(table: Table, row: Mapping[str, Any]) -> Members:
    members = {name: row[name] for name in MEMBERS[table]}
    match table:
        case "delivery.team":
            hashes = row["contacts_sha256"] if "contacts_sha256" in row else map(_digest, row["contacts"])
            return members | {"contacts_sha256": [each.hex() for each in hashes], "is_closed": bool(row["closed_at"])}
        case "delivery.endpoint":
            digest = row["url_sha256"] if "url_sha256" in row else _digest(row["url"])
            return members | {"url_sha256": digest.hex()}
        case "delivery.subscription":
            return members | {"is_ended": bool(row["ended_at"])}


def _digest(text: str) -> bytes:
    return sha256(text.encode()).digest()
