"""The secrets that sign webhooks: how they are made, sealed at rest, and used (Standard Webhooks 1.0.0).

Flows in: the delivery process's key file. Flows out: sealed secrets, signatures. Sealing takes the public key
(`delivery.sealing_key`), unsealing the delivery process's own key. A sealed secret is bound to its row: copied to
another endpoint, it cannot be unsealed.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Final, Literal, TypeAlias

import structlog
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox
from nacl.signing import SigningKey
from nacl.utils import random

from events.errors import Halt, Retry
from infra.keys.hash_keys import HashKey, HashKeyFiles, endpoint_key_files, load_hash_keys
from infra.keys.rotation import Rotation, begin_hash_rotation, rotate_hash_key
from infra.postgres.connection import Connection
from infra.postgres.sql import queries
from infra.secret_files import ENDPOINT_KEY
from infra.settings import Settings

Kind: TypeAlias = Literal["v1", "v1a"]
"""`v1`: HMAC-SHA256 with a shared secret. `v1a`: Ed25519; the team has the public key only."""

SECRET_BYTES: Final = 32
_SQL: Final = queries("consumers.delivery", "sealing_key.sql")
_logger = structlog.get_logger(__name__)

_HMAC: Final = "whsec_"
_PRIVATE: Final = "whsk_"
_PUBLIC: Final = "whpk_"


class NoSealingKey(Retry):
    """The delivery process has not published its public key yet: start it (`yesser run delivery`) and try again."""


class CannotUnseal(Halt):
    """An endpoint's secret cannot be unsealed. The message says which, and what to do."""


@dataclass(frozen=True, slots=True)
class NewSecret:
    """A secret that was just made: `secret` signs, and is stored sealed; `shown` is what the team gets, once."""

    kind: Kind
    secret: str = field(repr=False)
    shown: str = field(repr=False)


def new_secret(kind: Kind) -> NewSecret:
    """A random secret. For `v1` the team gets the secret itself (`whsec_…`), for `v1a` the public key (`whpk_…`)."""
    value = random(SECRET_BYTES)
    if kind == "v1":
        secret = _HMAC + _text(value)
        return NewSecret(kind, secret, secret)
    return NewSecret(kind, _PRIVATE + _text(value), _PUBLIC + _text(bytes(SigningKey(value).verify_key)))


def seal(public_key: bytes, endpoint_id: str, secret_id: int, secret: str) -> bytes:
    """The secret, encrypted for the delivery process and bound to its row."""
    return SealedBox(PublicKey(public_key)).encrypt(_row(endpoint_id, secret_id) + secret.encode())


def unseal(keys: Iterable[PrivateKey], endpoint_id: str, secret_id: int, sealed: bytes) -> str:
    """The secret of this row, sealed for one of these keys. Raises `CannotUnseal`."""
    row = _row(endpoint_id, secret_id)
    for key in keys:
        with suppress(CryptoError):
            content = SealedBox(key).decrypt(sealed)
            if content.startswith(row):
                return content[len(row) :].decode()
    raise CannotUnseal(
        f"secret {secret_id} of endpoint {endpoint_id} was sealed for another key or another row: restore the"
        f" delivery process's file {ENDPOINT_KEY}, or give the endpoint a new secret (`yesser webhooks rotate`)"
    )


def is_shared_secret(text: str) -> bool:
    """Whether it is a secret for `v1`, as a team gets it."""
    try:
        return text.startswith(_HMAC) and len(_value(text, _HMAC)) == SECRET_BYTES
    except ValueError:
        return False


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """One signature as it is in `webhook-signature`: `v1,…` or `v1a,…`. `timestamp` is in seconds."""
    content = b"%s.%d.%s" % (message_id.encode(), timestamp, body)
    if secret.startswith(_PRIVATE):
        return "v1a," + _text(SigningKey(_value(secret, _PRIVATE)).sign(content).signature)
    return "v1," + _text(hmac.digest(_value(secret, _HMAC), content, sha256))


def signature_headers(secrets: Iterable[str], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers of Standard Webhooks, with a signature for each active secret. `message_id` has no dot."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(sign(secret, message_id, timestamp, body) for secret in secrets),
    }


def link_key(settings: Settings) -> bytes:
    """The key of the links in letters, derived from the same text. Raises `InvalidKey`."""
    current = load_hash_keys(endpoint_key_files(settings)).current
    return sha256(b"yesser mail links\n" + current.secret).digest()


def opening_keys(settings: Settings, now: datetime) -> list[PrivateKey]:
    """The delivery process's keys, derived from the text of their files: the current one first, then those that secrets
    may be sealed for before and during a rotation. Raises `InvalidKey`."""
    return [private_key(key) for key in load_hash_keys(endpoint_key_files(settings)).valid(now)]


def private_key(key: HashKey) -> PrivateKey:
    """The key that a file's text gives."""
    return PrivateKey(sha256(b"yesser endpoint key\n" + key.secret).digest())


async def publish_key(connection: Connection, keys: Sequence[PrivateKey]) -> None:
    """Publish the public key of the current key for those who register endpoints. Raises `Halt` where one of another
    key was published."""
    await connection.execute(
        "INSERT INTO delivery.sealing_key (slot, public_key) VALUES (1, $1) ON CONFLICT DO NOTHING",
        bytes(keys[0].public_key),
    )
    if await public_key(connection) not in [bytes(key.public_key) for key in keys]:
        raise Halt(f"the secrets of endpoints are sealed for another {ENDPOINT_KEY} than that here: restore the file")


async def public_key(connection: Connection) -> bytes:
    """The published public key, for `seal`. Raises `NoSealingKey`."""
    found: bytes | None = await connection.fetchval("SELECT public_key FROM delivery.sealing_key")
    if found is None:
        raise NoSealingKey
    return found


async def rotate_sealing_key(connection: Connection, files: HashKeyFiles, overlap_days: int, now: datetime) -> Rotation:
    """Rotate the key for which the secrets are sealed, while the delivery process sends.

    First the next key is in its file, where the delivery process finds it; then, in one transaction, it is published
    and every secret is sealed for it; then its file is the current one. The command may end anywhere: it is repeated.
    The key before opens what a restored copy of the database brings, for `overlap_days`. In a session of the
    tables' owner. Raises `CannotRotate` or `InvalidKey`.
    """
    await connection.execute(_SQL["one_at_a_time"])
    keys = begin_hash_rotation(files, overlap_days, now)
    new, known = private_key(keys.next or keys.current), [private_key(key) for key in keys.valid(now)]
    public = bytes(new.public_key)
    async with connection.transaction():
        await connection.execute(_SQL["wait_for_writers"])
        await connection.execute(_SQL["publish"], public)
        sealed = []
        for endpoint_id, secret_id, before in await connection.fetch(_SQL["secrets"]):
            try:
                secret = unseal(known, endpoint_id, secret_id, before)
            except CannotUnseal as error:
                _logger.error("a secret stays as it is", endpoint_id=endpoint_id, reason=str(error))
                continue
            sealed.append((endpoint_id, secret_id, seal(public, endpoint_id, secret_id, secret)))
        await connection.executemany(_SQL["seal_again"], sealed)
    return rotate_hash_key(files, overlap_days, now)


def _row(endpoint_id: str, secret_id: int) -> bytes:
    return f"{endpoint_id}\n{secret_id}\n".encode()


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _value(secret: str, prefix: str) -> bytes:
    return base64.b64decode(secret.removeprefix(prefix), validate=True)
