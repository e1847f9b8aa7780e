"""Many events as requests below the gateway's limits, each event with the bytes that it was given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

_WHITE_SPACE = b" \t\n\r"


def content_of(event: bytes) -> bytes:
    """The event without white space around it, which a batch would lose: so its bytes are the same in both modes."""
    return event.strip(_WHITE_SPACE)


def batch_of(events: Sequence[bytes]) -> bytes:
    """The body of a batch."""
    return b"[" + b",".join(events) + b"]"


def slices(events: Sequence[bytes], events_max: int, bytes_max: int) -> Iterator[tuple[int, list[bytes]]]:
    """The events in order, in batches within both limits, each with the place of its first event.

    An event that is larger than the limit by itself goes alone: whether it is too large is for the gateway to say.
    """
    first, batch, size = 0, list[bytes](), 0
    for place, event in enumerate(map(content_of, events)):
        if batch and (len(batch) >= events_max or size + len(event) + 1 > bytes_max):
            yield first, batch
            first, batch, size = place, [], 0
        batch.append(event)
        size += len(event) + 1
    if batch:
        yield first, batch
