"""The free texts beside a bundle of entries: a line of JSON each, in log order, and what is checked of them.

A text can be withheld at any time, so a bundle has one file of texts, whatever its width, and no file is cached.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Annotated, Any, Final, NamedTuple

import msgspec
import orjson
from msgspec import UNSET, Struct, UnsetType

from events.errors import Tampered
from events.wire.codec import canonical_event_bytes
from events.wire.entry import has_texts, parse_entry
from events.wire.texts import (
    SALT_BYTES,
    TEXT_WITHHELD,
    hashes_by_member,
    in_place_of,
    withheld_in,
    withheld_text,
)

_WITHHOLDS: Final = TEXT_WITHHELD.encode()
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class WrongText(Tampered):
    """A text is not the one whose hash its entry has: do not rely on it, and keep both as they are."""


class BundleText(Struct, frozen=True, kw_only=True):
    """A free text of an entry, with its hash and its salt in hexadecimal. `text` is its JSON as it was sent; where the
    entry `withheld_by` withholds it, there is no salt, and `text` is what is read in its place."""

    index: int
    member: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z_]{0,63}$")]
    sha256: str
    salt: str | UnsetType = UNSET
    withheld_by: int | UnsetType = UNSET
    text: str

    @property
    def key(self) -> TextKey:
        return self.index, self.member


TextKey = tuple[int, str]
"""The index of an entry, and the name of a member of its `data`."""
_encoder: Final = msgspec.json.Encoder()
_decoder: Final = msgspec.json.Decoder(BundleText)


def text_lines(texts: Iterable[BundleText]) -> bytes:
    """The texts as they are served and stored."""
    return _encoder.encode_lines(texts)


def parse_texts(lines: bytes) -> list[BundleText]:
    """Raises `msgspec.MsgspecError`, and `UnicodeDecodeError`."""
    return _decoder.decode_lines(lines)


def text_hashes(index: int, raw: bytes) -> dict[TextKey, str]:
    """The hashes of an entry's free texts."""
    if not has_texts(raw):
        return {}
    hashes = hashes_by_member(parse_entry(index, raw).data)
    return {(index, member): found for member, found in hashes.items()}


@dataclass(slots=True)
class Withholdings:
    """The texts that entries withhold, each by the first that does, and what is read in its place."""

    by: dict[TextKey, tuple[int, str]] = field(default_factory=dict)
    """Text → the entry that withholds it, and the sentence."""

    def look(self, first: int, entries: Iterable[bytes]) -> None:
        """Take those among the entries from `first` on."""
        for index, raw in enumerate(entries, first):
            if _WITHHOLDS in raw and (entry := parse_entry(index, raw)).type == TEXT_WITHHELD:
                text = withheld_in(entry.data)
                if text[0] < index:
                    self.by.setdefault(text, (index, withheld_text(entry.recorded, index)))

    def withheld(self, text: BundleText) -> BundleText:
        """The text, or that it is withheld."""
        found = self.by.get(text.key)
        if found is None:
            return text
        index, sentence = found
        shown = in_place_of(text.text, sentence)
        return BundleText(index=text.index, member=text.member, sha256=text.sha256, withheld_by=index, text=shown)


class Matched(NamedTuple):
    """The texts of some entries, in log order, each compared with its hash; and those that are not there."""

    texts: list[BundleText]
    lacking: list[TextKey]


def match_texts(first: int, entries: Sequence[bytes], texts: Iterable[BundleText], place: str) -> Matched:
    """Compare the texts of a bundle with the entries from `first` on; what is of other entries is left out.

    Raises `WrongText` for a text whose hash the entry does not have, and for one that does not give it.
    """
    hashes = {key: found for index, raw in enumerate(entries, first) for key, found in text_hashes(index, raw).items()}
    own = {text.key: text for text in texts if first <= text.index < first + len(entries)}
    for key, text in own.items():
        if text.sha256 != hashes.get(key) or not _is_right(text):
            raise WrongText(f"{place}: the text of /data/{text.member} of entry {text.index}: {WrongText.__doc__}")
    return Matched([own[key] for key in hashes if key in own], [key for key in hashes if key not in own])


def _is_right(text: BundleText) -> bool:
    """A text gives its hash, and can be read in one way; what is read in place of a withheld one says this alone."""
    if text.salt is UNSET:
        day = _DAY.search(text.text)
        if text.withheld_by is UNSET or day is None:
            return False
        sentence = withheld_text(f"{day[0]}T00:00:00.000000Z", text.withheld_by)
        return text.text == in_place_of(text.text, sentence)
    try:
        salt, written = bytes.fromhex(text.salt), text.text.encode()
        canonical = canonical_event_bytes(orjson.loads(written))
        if canonical != written:  # whose names stand there once
            json.loads(written, object_pairs_hook=_names_once)
        return len(salt) == SALT_BYTES and sha256(salt + canonical).hexdigest() == text.sha256
    except (ValueError, RecursionError):
        return False


def _names_once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object. Of a name that is there twice some readers take the first value, others the last."""
    found = dict(members)
    if len(found) != len(members):
        raise ValueError("a name is there twice")
    return found
