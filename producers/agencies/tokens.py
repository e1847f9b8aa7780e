"""Bearer tokens: `yat_<key id>_<secret>`, stored in the database only as a keyed hash.

A secret is 256 random bits, in hexadecimal.

A row's seal is a keyed hash of the token's hash with its holder, kind, scopes, partners and expiry: the gateway refuses
a row that was changed in the database. Rows of earlier releases have none until an operator has checked and sealed
them.

The hash key is a file (0600) of the folder `secrets/tokens`, which every gateway of a platform and the administrator
read; it can be rotated, and the id of the key is stored beside each hash (`infra.keys.hash_keys`). A holder has at most
two active tokens, so that one can be replaced without a gap.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final, Literal

from msgspec import Struct

from events.errors import YesserError
from infra.http.callers import DEFAULT_SCOPES, Kind, Scope
from infra.keys.access_changes import AccessChanges, revoke
from infra.keys.hash_keys import HashKey, hash_key_files, load_hash_keys, load_or_create_hash_keys
from infra.keys.seals import Seals
from infra.postgres.connection import Connection, Pool
from infra.postgres.sql import queries
from infra.postgres.trail import add_to_trail
from infra.settings import Settings

ACTIVE_MAX: Final = 2
RANDOM_BYTES: Final = 32
_PREFIX: Final = "yat"
_TOKEN: Final = re.compile(r"yat_([a-z2-7]{10})_[0-9a-f]{64}")
_KEY_ID_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz234567"
_SQL: Final = queries("producers.agencies", "tokens.sql")


class NoToken(YesserError):
    """The token could not be created or changed; the message gives the reason."""


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token as its holder receives it, once."""

    key_id: str
    token: str
    kind: Kind
    holder: str
    scopes: tuple[Scope, ...]
    partners: tuple[str, ...]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """What the new token is for. Empty `scopes` means all scopes of its kind.

    `partners` are for a partner: AGENCY/PARTNER_ID, each the id that this agency uses for it.
    """

    kind: Kind
    holder: str
    days: int
    scopes: tuple[Scope, ...] = ()
    partners: tuple[str, ...] = ()


def hash_key(settings: Settings) -> bytes:
    """The key that hashes new tokens, created on first use."""
    return load_or_create_hash_keys(hash_key_files(settings)).current.secret


def valid_hash_keys(settings: Settings, now: datetime) -> list[bytes]:
    """The keys whose tokens are valid now."""
    return [key.secret for key in load_or_create_hash_keys(hash_key_files(settings)).valid(now)]


async def require_hash_key(connection: Connection | Pool, settings: Settings) -> None:
    """Raise `InvalidKey` where tokens were issued and the key of their hashes is gone: no new one takes its place."""
    files = hash_key_files(settings)
    if not files.current.exists() and await connection.fetchval(_SQL["were_issued"]):
        load_hash_keys(files)


def keyed_hash(token: str, key: bytes) -> bytes:
    """What the database stores of a token. A fast hash is safe for a secret of 256 random bits."""
    return hmac.new(key, token.encode(), sha256).digest()


def key_id_of(token: str) -> str | None:
    """The public part of a well-formed token, else None."""
    match = _TOKEN.fullmatch(token)
    return None if match is None else match[1]


def random_token() -> tuple[str, str]:
    """A new key id and token."""
    key_id = "".join(secrets.choice(_KEY_ID_ALPHABET) for _ in range(10))
    return key_id, f"{_PREFIX}_{key_id}_{secrets.token_hex(RANDOM_BYTES)}"


async def create_token(connection: Connection, key: bytes, request: TokenRequest) -> NewToken:
    """Create a token and store its hash. Raises `NoToken` for an unknown agency, a third token or an extra scope."""
    scopes = request.scopes or DEFAULT_SCOPES[request.kind]
    _require_scopes(request.kind, scopes)
    await _require_partners(connection, request)
    await _require_holder(connection, request)
    key_id, token = random_token()
    async with connection.transaction():
        await connection.execute(_SQL["lock_holder"], request.kind, request.holder)
        if await connection.fetchval(_SQL["active_count"], request.kind, request.holder) >= ACTIVE_MAX:
            raise NoToken(
                f"{request.kind} {request.holder} has {ACTIVE_MAX} active tokens: revoke one with"
                " `yesser tokens revoke` (see `yesser tokens list`) once its successor is in use."
            )
        row = {
            "key_id": key_id,
            "kind": request.kind,
            "holder": request.holder,
            "scopes": list(scopes),
            "partners": list(request.partners),
            "keyed_hash": keyed_hash(token, key),
            "expires_at": await connection.fetchval(_SQL["expiry"], request.days),
        }
        await connection.execute(_SQL["add"], *row.values(), Seals(key).of_token(row), HashKey(key.decode()).key_id)
        await add_to_trail(connection, "tokens create", request.holder, "--kind", request.kind)
    return NewToken(key_id, token, request.kind, request.holder, scopes, request.partners, row["expires_at"])


class TokenRow(Struct):
    """A token without its secret. `changed`: the row has not its seal."""

    key_id: str
    kind: str
    holder: str
    scopes: list[str]
    partners: list[str]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    state: Literal["active", "unsealed", "changed", "expired", "revoked"]


async def list_tokens(connection: Connection, keys: Sequence[bytes] = ()) -> list[TokenRow]:
    """All tokens, oldest first. With the valid hash keys, a changed row is `changed`."""
    tokens = []
    for row in await connection.fetch(_SQL["list"]):
        token = TokenRow(*[row[name] for name in TokenRow.__struct_fields__])
        if keys and token.state == "active" and not any(Seals(key).is_token(row) for key in keys):
            token.state = "changed"
        tokens.append(token)
    return tokens


async def unsealed_tokens(connection: Connection) -> list[TokenRow]:
    """The valid tokens of earlier releases, which have no seal, oldest first."""
    return [row for row in await list_tokens(connection) if row.state == "unsealed"]


async def unsealed_of_office(connection: Connection, key_ids: Sequence[str]) -> list[dict[str, str | list[str]]]:
    """What two people compare before tokens of the office get their seal; in a transaction the rows are locked.

    The hash is of the token's hash.
    """
    rows = [await connection.fetchrow(_SQL["unsealed"], key_id) for key_id in key_ids]
    return [
        {
            "key_id": row["key_id"],
            "holder": row["holder"],
            "scopes": sorted(row["scopes"]),
            "expires_at": row["expires_at"].isoformat(),
            "hash_sha256": sha256(row["keyed_hash"]).hexdigest(),
        }
        for row in rows
        if row is not None and row["kind"] == "office"
    ]


async def seal_token(connection: Connection, key: bytes, key_id: str) -> str:
    """Seal a token of an earlier release as its row is now; returns its holder. Raises `NoToken`."""
    async with connection.transaction():
        row = await connection.fetchrow(_SQL["unsealed"], key_id)
        if row is None:
            raise NoToken(f"there is no token without a seal with the key id {key_id}: see `yesser tokens list`.")
        await connection.execute(_SQL["seal"], key_id, Seals(key).of_token(row))
        await add_to_trail(connection, "tokens seal", key_id)
    return str(row["holder"])


async def revoke_token(connection: Connection, key_id: str, changes: AccessChanges) -> str:
    """Revoke a token, also for a copy of the database; returns its holder. Repeating it changes nothing.

    Raises `NoToken` for an unknown key id.
    """
    async with connection.transaction():
        holder = await revoke(connection, key_id)
        if holder is None:
            raise NoToken(f"there is no token with the key id {key_id}: see `yesser tokens list`.")
        await add_to_trail(connection, "tokens revoke", key_id)
        await changes.add(connection, "token", key_id, "revoked")
    return holder


def _require_scopes(kind: Kind, scopes: Sequence[Scope]) -> None:
    """A token can have fewer scopes than its kind, never more."""
    beyond = sorted(set(scopes) - set(DEFAULT_SCOPES[kind]))
    if beyond:
        raise NoToken(
            f"a token of kind {kind} cannot have {', '.join(beyond)}: it may {', '.join(DEFAULT_SCOPES[kind])}."
        )


async def _require_partners(connection: Connection, request: TokenRequest) -> None:
    """Raises `NoToken` unless a partner's token, and no other, names partners of registered agencies."""
    if (request.kind == "partner") != bool(request.partners):
        raise NoToken(
            "a partner's token names its partner ids with the agencies that use them: --partner AGENCY/PARTNER_ID,"
            " which may be repeated; a token of another kind has none."
        )
    for partner in request.partners:
        code = partner.partition("/")[0]
        if await connection.fetchval(_SQL["agency_role"], code) is None:
            raise NoToken(f"{partner}: {code} is not registered; see `yesser agencies list`.")


async def _require_holder(connection: Connection, request: TokenRequest) -> None:
    """Raises `NoToken` unless the holder is registered in the role that the kind needs."""
    if request.kind not in ("agency", "office"):
        return
    role = await connection.fetchval(_SQL["agency_role"], request.holder)
    if role != request.kind:
        known = "is not registered" if role is None else f"is registered as {role}"
        raise NoToken(
            f"{request.holder} {known}: see `yesser agencies list`; a token of kind {request.kind} needs that role."
        )
