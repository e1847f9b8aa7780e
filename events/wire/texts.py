"""The free texts of an event: taken out of its bytes before they become an entry, put back where they are read.

In the entry a member of `data` that is a free text is `{"sha256":"…"}`, the hash of a salt and of the text's canonical
JSON. The text and its salt stand beside the entry. Without the salt the hash says nothing about the text, so deleting
both withholds the text, and the entry's own bytes, which the log's proofs prove, stay as they are
(docs/decisions/texts-that-can-be-withheld.md).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from hashlib import sha256
from os import urandom
from typing import Any, Final, NamedTuple

import msgspec
import orjson

from events.values.bilingual import Bilingual
from events.values.working_days import riyadh_date
from events.wire.codec import canonical_event_bytes

TEXT_WITHHELD: Final = "registry.text-withheld"
SALT_BYTES: Final = 16
_PLACES: Final = re.compile(rb'\{"sha256":"([0-9a-f]{64})"\}')
"""Only free texts of an entry look like this: in a string quotes are escaped, and the catalogue has no such object."""
_NAMES: Final = rb'("[^"\\\x00-\x1f]*(?:\\.[^"\\\x00-\x1f]*)*")[ \t\n\r]*:[ \t\n\r]*'
"""Names in JSON, and what stands before their values."""
_WITHHELD: Final = Bilingual("حُجب هذا النص في {} بالقيد {}.", "This text was withheld on {} by entry {}.")


def new_salt() -> bytes:
    """A salt for one text."""
    return urandom(SALT_BYTES)


class Text(NamedTuple):
    """A free text of an event: the name of its member in `data`, its JSON as it was sent, its salt and its hash."""

    member: str
    written: bytes
    salt: bytes
    sha256: bytes


class Kept(NamedTuple):
    """What is kept of a text of an entry. `salt` is None once the text is withheld."""

    sha256: bytes
    salt: bytes | None


def text_sha256(salt: bytes, written: bytes) -> bytes:
    """SHA-256 of the salt and of the text's canonical JSON (RFC 8785)."""
    return sha256(salt + canonical_event_bytes(orjson.loads(written))).digest()


def take_out(
    event: bytes, canonical: bytes, members: Collection[str], salt: Callable[[], bytes]
) -> tuple[bytes, bytes, list[Text]]:
    """A well-formed event with the hashes of these members of `data`, as it was sent and in its canonical form, and
    their texts. All its other bytes stay as they are. `salt` gives a new salt for each text."""
    texts: list[Text] = []

    def hash_of(member: str, written: bytes, text: bytes) -> bytes:
        salted = salt()
        hashed = sha256(salted + text).digest()
        texts.append(Text(member, written, salted, hashed))
        return hashed

    return *_replaced(event, canonical, members, hash_of), texts


def as_kept(event: bytes, canonical: bytes, kept: Mapping[str, Kept]) -> bytes:
    """Another record's event, with the hashes that its texts have under the salts of an entry's texts.

    A text that is withheld is not compared: its place has the entry's hash.
    """

    def hash_of(member: str, written: bytes, text: bytes) -> bytes:
        of_entry = kept[member]
        return of_entry.sha256 if of_entry.salt is None else sha256(of_entry.salt + text).digest()

    return _replaced(event, canonical, kept, hash_of)[0]


def hashes_in(raw: bytes) -> list[str]:
    """The hashes of an entry's free texts, in hexadecimal, in the order of its bytes."""
    return [found.decode() for found in _PLACES.findall(raw)]


def put_back(raw: bytes, texts: Mapping[str, bytes]) -> bytes:
    """An entry, or its event, with its texts, by their hashes in hexadecimal; a hash without a text stays."""
    return _PLACES.sub(lambda place: texts.get(place[1].decode(), place[0]), raw)


def withheld_in(data: Mapping[str, Any]) -> tuple[int, str]:
    """The index and the member of the text that an entry of the type `TEXT_WITHHELD` withholds, by its data."""
    return data["entry"], data["pointer"].rpartition("/")[2]


def withheld_text(recorded: str, by_index: int) -> str:
    """The JSON that is read in place of a text that the entry `by_index`, of this `recordedtime`, withholds."""
    said = _WITHHELD.format(riyadh_date(recorded), by_index)
    return canonical_event_bytes({"ar": said.ar, "en": said.en}).decode()


def in_place_of(text: str, sentence: str) -> str:
    """The JSON that is read in place of a text, for a sentence: a list of texts becomes a list."""
    return f"[{sentence}]" if text.startswith("[") else sentence


def hashes_by_member(data: Mapping[str, Any]) -> dict[str, str]:
    """The hashes of the free texts in an entry's `data`, in hexadecimal, in the order of the members' names."""
    return {member: data[member]["sha256"] for member in sorted(data) if is_text_hash(data[member])}


def is_text_hash(value: object) -> bool:
    """Whether a member of an entry's `data` is the hash of a free text."""
    return isinstance(value, dict) and value.keys() == {"sha256"}


class _Event(msgspec.Struct):
    data: dict[str, msgspec.Raw]


_decode: Final = msgspec.json.Decoder(_Event).decode


def _replaced(
    event: bytes, canonical: bytes, members: Collection[str], hash_of: Callable[[str, bytes, bytes], bytes]
) -> tuple[bytes, bytes]:
    """The event and its canonical form, which nearly always are the same bytes."""
    is_canonical = event is canonical
    for member, raw in _decode(canonical).data.items():
        if member in members:
            name, text = b'"%b":' % member.encode(), bytes(raw)
            # No object inside of `data` has a member of this name.
            start = event.find(name + text) + len(name)
            start, end = (start, start + len(text)) if start >= len(name) else _member(event, member)
            place = b'{"sha256":"%b"}' % hash_of(member, event[start:end], text).hex().encode()
            event = b"%b%b%b" % (event[:start], place, event[end:])
            canonical = event if is_canonical else canonical.replace(name + text, name + place, 1)
    return event, canonical


def _member(event: bytes, member: str) -> tuple[int, int]:
    """Start and end of a member of `data`, however the event was written."""
    written = _decode(event).data[member]
    # Nearly always its name has no escapes, and is found at once.
    for names in (rb'("%b")[ \t\n\r]*:[ \t\n\r]*' % member.encode(), _NAMES):
        for name in re.finditer(names, event):
            if event.startswith(written, name.end()) and orjson.loads(name[1]) == member:
                return name.end(), name.end() + len(written)
    raise AssertionError(f"the event has no {member}")
