"""Signed receipts on the sender's side: that they are the gateway's own, and speak of exactly the bytes that were sent.

Flows in: an answer, the bytes of the request's events, the gateway's public key. Flows out: one receipt per event.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any

import httpx
import orjson

from events.wire.codec import NotCanonical
from infra.log.receipt import RECEIPT_KIND, receipt_is_genuine
from infra.log.signed_note import Verifier
from producers.sdk.answers import EventError, Receipt, SendAnswer, read_answer
from producers.sdk.problems import NotGenuine


def verified_receipts(
    response: httpx.Response, events: Sequence[bytes], verifier: Verifier
) -> tuple[list[Receipt], tuple[EventError, ...]]:
    """The receipts of the events, in order, and the faults of those that were refused (in a partial request).

    Raises `NotGenuine` unless the signature holds and each event is promised with its own bytes or refused.
    """
    answer = read_answer(SendAnswer, response)
    document: dict[str, Any] = orjson.loads(response.content)
    if not _is_signed(document, verifier):
        raise NotGenuine(f"The receipt is not signed by the key {verifier.name}+{verifier.key_id.hex()}. {_ADVICE}")
    part = answer.receipt
    promised = [(row.event, row.sha256) for row in part.events]
    places = dict(promised)
    expected = [(place, sha256(event).hexdigest()) for place, event in enumerate(events) if place in places]
    left = set(range(len(events))) - places.keys()
    if part.kind != RECEIPT_KIND or promised != expected or (left and not answer.refused):
        raise NotGenuine(f"The receipt does not speak of the events that were sent. {_ADVICE}")
    receipts = [Receipt(row.id, row.address, row.sha256, part.agency, part.time, document) for row in part.events]
    return receipts, answer.refused + unlisted_errors(left, answer.refused)


def unlisted_errors(places: Iterable[int], listed: Sequence[EventError]) -> tuple[EventError, ...]:
    """One fault for each refused event that has none in the gateway's list, which has a greatest length."""
    known = {error.event for error in listed}
    detail = "The gateway's list was full before it came to this event: validate it by itself."
    return tuple(
        EventError(code="unlisted", pointer=f"/{place}", detail=detail, event=place)
        for place in sorted(set(places) - known)
    )


def _is_signed(document: dict[str, Any], verifier: Verifier) -> bool:
    try:
        return receipt_is_genuine(document, verifier)
    except (KeyError, TypeError, ValueError, NotCanonical):
        return False


_ADVICE = NotGenuine.__doc__ or ""
