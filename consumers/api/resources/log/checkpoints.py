"""`/v1/log` and `/v1/consistency/…`: the log's size, its signed checkpoint, who cosigned it, and that it only grew."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from fastapi import APIRouter, Response

from consumers.api.access import money_scope
from consumers.api.parameters import Index
from consumers.api.reader import ReadAnswer, Reader
from consumers.api.reading import read_route
from consumers.documents.log.checkpoints import Consistency, LogState, Signature, SignedCheckpoint
from events.wire.entry import recorded_time
from infra.http.problems import Problem
from infra.log.proofs import consistency_proof
from infra.log.reader import StoredHashes, cosigned_checkpoint, newest_checkpoint, rotation_notes
from infra.log.signed_note import InvalidNote, signature_lines
from infra.postgres.sql import queries

_SQL: Final = queries("consumers.api.resources.log", "checkpoints.sql")
_TIME_BYTES: Final = 8
_COSIGNATURES_BYTES: Final = (_TIME_BYTES + 64, _TIME_BYTES + 2_420)
"""With Ed25519 and with ML-DSA-44."""

routes = APIRouter(tags=["log"], default_response_class=Response)


_STATE: Final = "Rotations are C2SP signed notes; `cosigned` is null where the log has no witnesses."


@read_route(routes, "/v1/log", "log", "The log's size, checkpoint and keys", _STATE, tagged=False)
async def log_for(reader: Reader) -> ReadAnswer[LogState]:
    """The newest signed checkpoint, the newest that enough witnesses cosigned, and the rotations of the log's key."""
    money_scope(reader.caller)
    async with reader.reads.connection() as connection:
        (state,) = await connection.fetch(_SQL["state"])
        cosigned = await cosigned_checkpoint(connection)
        rotations = await rotation_notes(connection)
    document = LogState(
        size=state["size"],
        recorded=state["recorded"] or None,
        checkpoint=_checkpoint(state["checkpoint_size"], state["note"], state["signed_at"]),
        cosigned=cosigned and _checkpoint(*cosigned, None),
        rotations=tuple(rotations),
    )
    return ReadAnswer(document)


@read_route(
    routes,
    "/v1/consistency/{old_size}/{new_size}",
    "consistency",
    "The proof that the log only grew",
    "Hashes are base64.",
    tagged=False,
)
async def consistency_for(reader: Reader, old_size: Index, new_size: Index) -> ReadAnswer[Consistency]:
    """From the tree of `old_size` entries to that of `new_size` (RFC 6962 §2.1.2), both under the newest checkpoint."""
    money_scope(reader.caller)
    async with reader.reads.connection() as connection:
        newest = await newest_checkpoint(connection)
        if newest is None or not 0 < old_size <= new_size <= newest[0]:
            raise Problem("not-found")
        path = await consistency_proof(StoredHashes(connection), old_size, new_size)
    hashes = tuple(base64.b64encode(step).decode() for step in path)
    return ReadAnswer(Consistency(old_size=old_size, new_size=new_size, path=hashes))


def _checkpoint(size: int | None, note: str | None, signed_at: datetime | None) -> SignedCheckpoint | None:
    if size is None or note is None:
        return None
    signed = None if signed_at is None else recorded_time(signed_at)
    return SignedCheckpoint(size=size, note=note, signed=signed, signatures=tuple(signatures_of(note)))


def signatures_of(note: str) -> Iterator[Signature]:
    """The lines of a note, unverified; none where it has none."""
    try:
        lines = signature_lines(note)
    except InvalidNote:
        return
    for name, key_id, signature in lines:
        is_cosignature = len(signature) in _COSIGNATURES_BYTES
        seconds = int.from_bytes(signature[:_TIME_BYTES], "big") if is_cosignature else None
        cosigned = None if seconds is None or seconds > _SECONDS_MAX else datetime.fromtimestamp(seconds, UTC)
        yield Signature(
            name=name,
            key_id=key_id.hex(),
            is_cosignature=is_cosignature,
            cosigned=None if cosigned is None else recorded_time(cosigned),
        )


_SECONDS_MAX: Final = 253_402_300_799
"""The end of the year 9999."""
