"""An accepted event as the log keeps it: without its free texts, and how a repeat of it is recognised.

The identity of such an event is that of the bytes in its entry. So the entry alone gives it again, and no text can be
guessed from it. A record that repeats the event is compared under the salts that are kept of its texts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from events.types.catalogue import FREE_TEXTS
from events.validation.verdicts import Accepted, identity_of
from events.wire.codec import canonical_event_bytes
from events.wire.texts import Kept, Parted, Text, as_kept, take_out


class WithoutTexts(NamedTuple):
    """The bytes of an event with the hashes of its texts, the texts, and the event's identity in the log."""

    event_bytes: bytes
    texts: list[Text]
    identity: bytes


def without_texts(event: Accepted, salt: Callable[[], bytes]) -> WithoutTexts | None:
    """The event without its texts; None where it has none, and its entry has its bytes as they were sent."""
    members = FREE_TEXTS.get(event.type)
    if members is None:
        return None
    parted, texts = take_out(event.event_bytes, members, salt)
    return WithoutTexts(parted.event_bytes, texts, _identity(parted)) if texts else None


def has_free_texts(event: Accepted) -> bool:
    """Whether the event's identity in the log will be another: that of its entry, with the hashes of its texts."""
    return not FREE_TEXTS.get(event.type, frozenset()).isdisjoint(event.event["data"])


def is_same(event: Accepted, identity: bytes, kept: Mapping[str, Kept] | None) -> bool:
    """Whether a record with the claim of an entry is of the same event. `identity` is that of the entry, `kept` what is
    kept of its texts; a text that is withheld is not compared."""
    if not kept:
        return event.identity == identity
    members = FREE_TEXTS.get(event.type, frozenset())
    if kept.keys() != event.event["data"].keys() & members:
        return False
    return _identity(as_kept(event.event_bytes, kept)) == identity


def _identity(parted: Parted) -> bytes:
    return identity_of(parted.event, canonical_event_bytes(parted.event))
