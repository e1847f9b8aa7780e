"""`/v1/proofs/{index}`: an entry's bytes with the proof that it is in the log, within the caller's scope; `/v1/log` and
`/v1/consistency/…`: the log's size, its signed checkpoint, who cosigned it, and that it only grew.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from fastapi import APIRouter, Response
from msgspec import UNSET

from consumers.api.access import money_scope
from consumers.api.parameters import Index
from consumers.api.reader import JSON, ReadAnswer, Reader, Reading, described, in_text, plain, read_route
from consumers.documents.access_scope import EVERYTHING, AccessScope
from consumers.documents.log.entries import (
    Consistency,
    LogState,
    Proof,
    Signature,
    SignedCheckpoint,
)
from consumers.replay.as_of.view import NotStarted, live_view
from consumers.revenue import read
from consumers.revenue.consumer import CONSUMER as REVENUE
from events.wire.entry import has_texts, parse_entry, recorded_time
from infra.http.documents import not_yet
from infra.http.negotiation import preferred
from infra.http.problems import Problem
from infra.json_documents import to_json
from infra.kafka.client_config import agency_topic
from infra.log.ports.postgres_port import stored_texts
from infra.log.proof_file import ProofFile
from infra.log.proofs import PROOF_PREFIX, consistency_proof, inclusion_proof
from infra.log.reader import (
    StoredHashes,
    checkpoint_over,
    cosigned_checkpoint,
    newest_checkpoint,
    read_checked,
    read_leaves,
    read_unchecked,
    rotation_notes,
)
from infra.log.signed_note import InvalidNote, signature_lines
from infra.postgres.connection import Connection
from infra.postgres.sql import queries

PROOF_FILE_TYPE: Final = "text/plain; charset=utf-8"
_PROOF: Final = described(
    "Hashes are base64; the checkpoint is a C2SP signed note, and so is each rotation of the log's key. `texts` "
    "are those of which `entry` has the hashes.",
    Proof,
)
_HEADERS: Final = {"Vary": "Accept", "Cache-Control": "no-store"}
"""A text that is withheld must be found in no cache."""

routes = APIRouter(tags=["log"], default_response_class=Response)


@routes.get(
    PROOF_PREFIX + "{index}",
    summary="An entry with the proof that it is in the log",
    responses={**plain(in_text(_PROOF, PROOF_FILE_TYPE)), 404: not_yet()},
)
async def proof(request: Reading, index: Index) -> Response:
    """The entry's bytes and its inclusion proof (RFC 6962) under the newest checkpoint that enough witnesses cosigned.

    Where the log has no witnesses, or they have yet to cosign the entry, it is the newest checkpoint.

    As JSON, or with `Accept: text/plain` as a C2SP tlog-proof, whose line `extra` is the entry. Where the entry has
    texts, JSON has them too: `sha256` is that of the salt's bytes and the text's canonical JSON (RFC 8785).
    """
    found = (await proof_for(await request.reader(), index)).document
    if preferred(request.http.headers.get("accept", ""), (JSON, "text/plain")) == "text/plain":
        disposition = {"Content-Disposition": f'attachment; filename="{index}.tlog-proof"'}
        return Response(proof_file(found), headers=disposition | _HEADERS, media_type=PROOF_FILE_TYPE)
    return Response(to_json(found), headers=_HEADERS, media_type=JSON)


async def proof_for(reader: Reader, index: int) -> ReadAnswer[Proof]:
    """The proof of an entry in scope. Raises `Problem` (403, 404, 503), and `ChangedEntry`.

    Who may read every entry gets a changed one too: its proof fails, and that is the evidence. Whether another caller
    may read it follows from its bytes, so they are compared first.
    """
    scope = money_scope(reader.caller)
    async with reader.reads.connection() as connection:
        reads_all = scope == EVERYTHING
        raw = await (read_unchecked(connection, index, 1) if reads_all else read_checked(connection, index, 1))
        if not raw or not await _is_within(connection, scope, index, raw[0]):
            raise Problem("not-found")
        if (signed := await checkpoint_over(connection, index)) is None:
            raise Problem("not-found", retry_after_s=1)
        size, note = signed
        path = await inclusion_proof(StoredHashes(connection), index, size)
        leaf = await read_leaves(connection, index, 1)
        rotations = await rotation_notes(connection)
        texts = await stored_texts(connection, index, index + 1) if has_texts(raw[0]) else ()
    document = Proof(
        index=index,
        entry=raw[0].decode(),
        leaf=base64.b64encode(leaf).decode(),
        size=size,
        path=tuple(base64.b64encode(step).decode() for step in path),
        checkpoint=note,
        rotations="\n".join(rotations),
        texts=tuple(texts) or UNSET,
    )
    return ReadAnswer(document)


def proof_file(proof: Proof) -> str:
    """The same as a C2SP tlog-proof."""
    path = [base64.b64decode(step) for step in proof.path]
    return ProofFile(proof.index, proof.entry.encode(), path, proof.checkpoint).text()


async def _is_within(connection: Connection, scope: AccessScope, index: int, raw: bytes) -> bool:
    """An agency's entries are those from its topic, refusals included."""
    if scope == EVERYTHING:
        return True
    entry = parse_entry(index, raw)
    if scope.only_money:
        return entry.subject.startswith("partnership/")
    if scope.partners is None:
        return scope.agency is not None and entry.address.partition("/")[0] == agency_topic(scope.agency)
    try:
        async with live_view(connection, [REVENUE]) as looked_at:
            ledger = await looked_at.use(REVENUE)
            if index >= looked_at.log_index or entry.subject not in await read.subjects(ledger, scope):
                return False
            return index not in await read.strangers(ledger, [index])
    except NotStarted:
        return False


_SQL: Final = queries("consumers.api.resources", "checkpoints.sql")
_TIME_BYTES: Final = 8
_COSIGNATURES_BYTES: Final = (_TIME_BYTES + 64, _TIME_BYTES + 2_420)
"""With Ed25519 and with ML-DSA-44."""


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
