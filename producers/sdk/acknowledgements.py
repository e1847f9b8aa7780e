"""Verifies signed receipts (that the gateway signed them, for exactly the bytes that were sent) and inclusion proofs.

Flows in: an answer, the bytes of the request's events, the gateway's public key. Flows out: one receipt per event.

A proof shows that an entry is in the national log, without trust in its source.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from hashlib import sha256

import httpx
import msgspec
import orjson

from events.wire.codec import NotCanonical
from infra.log.key_history import KeyHistory, parse_transitions
from infra.log.merkle import leaf_hash
from infra.log.ports.bundle_texts import BundleText, WrongText, match_texts
from infra.log.proofs import verify_inclusion
from infra.log.receipt import RECEIPT_KIND, receipt_is_genuine
from infra.log.signed_note import InvalidNote, Verifier
from producers.sdk.answers import EventError, Proof, Receipt, SendAnswer, SignedAnswer, Validation, read_answer
from producers.sdk.problems import NotGenuine


def verified_receipts(
    response: httpx.Response, events: Sequence[bytes], verifier: Verifier
) -> tuple[list[Receipt], tuple[EventError, ...]]:
    """The receipts of the events, in order, and the faults of those that were refused (in a partial request).

    Raises `NotGenuine` unless the signature is valid and each event has a receipt for its own bytes or is refused.
    """
    answer = read_answer(SendAnswer, response)
    document: SignedAnswer = orjson.loads(response.content)
    if not _is_signed(document, verifier):
        raise NotGenuine(f"The receipt is not signed by the key {verifier.name}+{verifier.key_id.hex()}. {_ADVICE}")
    part = answer.receipt
    promised = [(row.event, row.sha256) for row in part.events]
    places = dict(promised)
    expected = [(place, sha256(event).hexdigest()) for place, event in enumerate(events) if place in places]
    left = set(range(len(events))) - places.keys()
    if part.kind != RECEIPT_KIND or promised != expected or (left and not answer.refused):
        raise NotGenuine(f"The receipt is not for the events that were sent. {_ADVICE}")
    receipts = [Receipt(row.id, row.address, row.sha256, part.agency, part.time, document) for row in part.events]
    return receipts, answer.refused + unlisted_errors(left, answer.refused)


def all_errors(answer: Validation, events_count: int) -> tuple[EventError, ...]:
    """The faults of the events, with one for each refused event that the gateway's list left out."""
    if not answer.unlisted:
        return answer.errors
    valid = {row.event for row in answer.accepted} | {row.event for row in answer.duplicates}
    return answer.errors + unlisted_errors(set(range(events_count)) - valid, answer.errors)


def key_named_in(response: httpx.Response) -> str | None:
    """The name of the key that signed the receipt in an answer."""
    try:
        document = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        return None
    named = document.get("key") if isinstance(document, dict) else None
    return named if isinstance(named, str) else None


def unlisted_errors(places: Iterable[int], listed: Sequence[EventError]) -> tuple[EventError, ...]:
    """One fault for each refused event that the gateway's list, which is limited, left out."""
    known = {error.event for error in listed}
    detail = "The gateway's list of faults was full before this event: validate the event alone."
    return tuple(
        EventError(code="unlisted", pointer=f"/{place}", detail=detail, event=place)
        for place in sorted(set(places) - known)
    )


def _is_signed(document: SignedAnswer, verifier: Verifier) -> bool:
    try:
        return receipt_is_genuine(document, verifier)
    except (KeyError, TypeError, ValueError, NotCanonical):
        return False


_ADVICE = NotGenuine.__doc__ or ""


def verified_proof(proof: Proof, log_key: Verifier | None) -> Proof:
    """The proof, if it leads from the entry's bytes to the checkpoint's root, and its texts give the hashes in the
    entry. Raises `NotGenuine`.

    With a key of the log, the current or an earlier one, also verifies the checkpoint's signature; without it, the
    caller must trust the checkpoint.
    """
    leaf = leaf_hash(proof.entry.encode())
    try:
        size, root = _tree_of(proof, log_key)
        shown = base64.b64decode(proof.leaf, validate=True)
        path = [base64.b64decode(step, validate=True) for step in proof.path]
    except (InvalidNote, ValueError) as error:
        raise NotGenuine(f"The proof of entry {proof.index} cannot be read: {error}. {NotGenuine.__doc__}") from error
    if (size, leaf) != (proof.size, shown) or not verify_inclusion(leaf, proof.index, size, root, path):
        raise NotGenuine(f"The proof of entry {proof.index} does not lead to the checkpoint. {NotGenuine.__doc__}")
    try:
        texts = [msgspec.convert(text.model_dump(exclude_none=True), BundleText) for text in proof.texts]
        match_texts(proof.index, [proof.entry.encode()], texts, "the proof")
    except (WrongText, msgspec.ValidationError) as error:
        raise NotGenuine(f"A text of entry {proof.index}: {error}. {NotGenuine.__doc__}") from error
    return proof


def _tree_of(proof: Proof, log_key: Verifier | None) -> tuple[int, bytes]:
    if log_key is not None:
        history = KeyHistory.of(log_key, parse_transitions(proof.rotations))
        signed = history.parse_checkpoint(proof.checkpoint)
        return signed.size, signed.root
    _, size, root, *_ = proof.checkpoint.split("\n")
    return int(size), base64.b64decode(root, validate=True)
