"""An accepted event as the log keeps it: without its free texts, and how a repeat of it is recognised.

The identity of such an event is that of the bytes in its entry. So the entry alone gives it again, and no text can be
guessed from it. A record that repeats the event is compared under the salts that are kept of its texts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from events.types.catalogue import FREE_TEXTS
from events.validation.verdicts import Accepted, identity_in
from events.wire.texts import Kept, Text, as_kept, take_out


def without_texts(event: Accepted, salt: Callable[[], bytes]) -> tuple[bytes, bytes, Sequence[Text]]:
    """The bytes of an event with the hashes of its texts, its identity in the log, and the texts. Where it has none,
    its entry has its bytes as they were sent."""
    members = FREE_TEXTS.get(event.type)
    if members is not None:
        raw, compared, texts = take_out(event.event_bytes, event.compared, members, salt)
        if texts:
            return raw, identity_in(compared), texts
    return event.event_bytes, identity_in(event.compared), ()


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
    return identity_in(as_kept(event.compared, event.compared, kept)) == identity
