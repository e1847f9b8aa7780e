"""Splits events into requests within the gateway's limits, with the events' bytes unchanged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from producers.sdk.problems import EmptyEvent

_WHITE_SPACE = b" \t\n\r"


def content_of(event: bytes) -> bytes:
    """The event without surrounding white space, so that its bytes are the same alone and in a batch."""
    return event.strip(_WHITE_SPACE)


def batch_of(events: Sequence[bytes]) -> bytes:
    """The body of a batch request."""
    return b"[" + b",".join(events) + b"]"


def slices(events: Sequence[bytes], events_max: int, bytes_max: int) -> Iterator[tuple[int, list[bytes]]]:
    """The events in order, in batches within both limits, each with the position of its first event.

    An event above the limit is sent alone, and the gateway answers whether it is too large. Raises `EmptyEvent` before
    the first batch.
    """
    contents = [content_of(event) for event in events]
    if b"" in contents:
        raise EmptyEvent(f"the event at position {contents.index(b'')} is empty: leave it out, then send the others")
    first, batch, size = 0, list[bytes](), 0
    for place, event in enumerate(contents):
        if batch and (len(batch) >= events_max or size + len(event) + 1 > bytes_max):
            yield first, batch
            first, batch, size = place, [], 0
        batch.append(event)
        size += len(event) + 1
    if batch:
        yield first, batch
