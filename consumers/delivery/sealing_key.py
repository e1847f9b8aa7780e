"""Rotates the key for which the secrets of webhooks are sealed, while the delivery process sends.

First the next key is in its file, where the delivery process finds it; then, in one transaction, it is published and
every secret is sealed for it; then its file is the current one. The command may end anywhere: it is repeated.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import structlog

from consumers.delivery.secrets import CannotUnseal, private_key, seal, unseal
from infra.keys.hash_keys import HashKeyFiles
from infra.keys.rotation import Rotation, begin_hash_rotation, rotate_hash_key
from infra.postgres.connection import Connection
from infra.postgres.sql import queries

_SQL: Final = queries("consumers.delivery", "sealing_key.sql")
_logger = structlog.get_logger(__name__)


async def rotate_sealing_key(connection: Connection, files: HashKeyFiles, overlap_days: int, now: datetime) -> Rotation:
    """In a session of the tables' owner. Raises `CannotRotate` or `InvalidKey`.

    The key before opens what a restored copy of the database brings, for `overlap_days`.
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
