"""Restores, from entries, the batch that the registrar wrote when it numbered them.

Pure. Flows in: consecutive entries, what the agencies' topics still hold of the offsets up to them, and the known
claims. Flows out: a `Batch` with these entries' own bytes, and what the topics no longer have.

Verdicts, ids, indexes and positions come from the entries. The topics provide only what no entry has: raw bytes of
refused records, duplicates, the sequence numbers of both, and the hash of the last record.

Matches records with entries, independently of the current catalogue's verdict.

Pure. An accepted entry has the event's bytes, with the hashes of its free texts; a refusal has the hash of the record's
value, unless the value had personal data or was missing.

Free texts come from their topic, or from a mirror. One that is not there was withheld by a later entry, or is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final, get_origin

import orjson

from consumers.registrar.batch import (
    NO_MARK,
    Batch,
    Record,
    Refusal,
    Sequences,
    Withheld,
    headers_as_json,
    mark_of,
)
from consumers.registrar.reader import WHAT_TO_DO
from events.types.catalogue import CATALOGUE
from events.validation.reading import read_claim
from events.validation.refusal import REFUSED
from events.validation.texts import is_same
from events.validation.verdicts import Accepted, Agency, Refused, compared_bytes, key_of
from events.wire.codec import NotCanonical, canonical_bytes, canonical_event_bytes
from events.wire.entry import Entry, event_bytes
from events.wire.kafka_binding import read_headers
from events.wire.texts import TEXT_WITHHELD, Kept, Text, as_kept, withheld_in
from events.wire.upcasts import split_type
from infra.log.authority import TYPES as AUTHORITY_TYPES
from infra.log.authority import Change
from infra.log.ports.bundle_texts import text_hashes
from infra.postgres.verdicts import Known

Verdict = Accepted | Refused
_TOMBSTONE: Final = "tombstone"
_TEXTS: Final = ("id", "subject", "type")
_LOST: Final = "the topic did not give it when the database was recovered"
_LOST_TEXT: Final = canonical_event_bytes({"ar": "فُقد هذا النص.", "en": "This text is lost."}).decode()
_NOT_AN_EVENT: Final = (NotCanonical, AttributeError, LookupError, TypeError, ValueError)
"""What an event raises that validation refuses now, and that may be of any form."""


def is_refusal(entry: Entry) -> bool:
    """Whether the entry is the registrar's refusal of a record."""
    return entry.type == REFUSED and bool(entry.data["address"] == entry.address)


def event_of_entry(entry: Entry, raw: bytes, agency: Agency) -> Accepted:
    """The event of an accepted entry, as validation returned it."""
    return _accepted(event_bytes(raw), agency)


def event_of_record(record: Record, verdict: Verdict, agency: Agency) -> Accepted | None:
    """The event of a record, even if validation refuses it now; None if it is not an event of the agency."""
    if isinstance(verdict, Accepted):
        return verdict
    reading = read_headers(record.headers)
    if record.value is None or reading.findings:
        return None
    event = read_claim(record.value, reading).event
    try:
        if event.get("source") != agency.source or not all(isinstance(event[name], str) for name in _TEXTS):
            return None
        return _accepted(record.value if reading.structured else canonical_bytes(event), agency)
    except _NOT_AN_EVENT:
        return None


def is_refused_record(record: Record, verdict: Verdict, data: Mapping[str, Any]) -> bool:
    """Whether a refusal with these data is of this record. A refusal for personal data has no hash to compare."""
    errors: Iterable[Mapping[str, str]] = data["problem"]["errors"]
    if "sha256" in data:
        return record.value is not None and sha256(record.value).hexdigest() == data["sha256"]
    if any(error["code"] == _TOMBSTONE for error in errors):
        return record.value is None
    return record.value is not None and isinstance(verdict, Refused) and not verdict.keep_raw


def _accepted(raw: bytes, agency: Agency) -> Accepted:
    event = orjson.loads(raw)
    name, _ = split_type(event["type"])
    return Accepted(agency, name, key_of(event), raw, compared_bytes(event, canonical_event_bytes(event)))


@dataclass(frozen=True, slots=True)
class Held:
    """What a topic holds now, from its position `next_offset` to the last entry's offset.

    The topic has the offsets `first_offset … end_offset - 1`; the first is None if it does not exist, or has no leader.
    `records` are by offset, each with validation's current verdict.
    """

    agency: Agency
    next_offset: int
    first_offset: int | None
    end_offset: int
    records: Mapping[int, tuple[Record, Verdict]]

    def has_lost(self, offset: int) -> bool:
        """Whether the offset is outside the topic. An offset inside it without a record may never have had one."""
        return self.first_offset is None or not self.first_offset <= offset < self.end_offset

    def has_aged(self, offset: int) -> bool:
        """Whether the topic begins after the offset, because retention removed its record."""
        return self.first_offset is not None and self.first_offset > offset


@dataclass(slots=True)
class Lacking:
    """What a topic no longer has: records of entries, and records without an entry (duplicates)."""

    records: int = 0
    duplicates: int = 0


@dataclass(slots=True)
class Restored:
    """The batch, what the topics lack, and the entries (index, topic) that the topics do not confirm."""

    batch: Batch
    lacking: dict[str, Lacking] = field(default_factory=dict)
    unconfirmed: list[tuple[int, str]] = field(default_factory=list)


def address_of(entry: Entry) -> tuple[str, int]:
    """Topic and offset of an entry's record."""
    topic, _, offset = entry.address.split("/")
    return topic, int(offset)


class _Restoring:
    """A batch, with what the topics hold for it."""

    def __init__(self, batch: Batch, held: Mapping[str, Held]) -> None:
        self._held = held
        self._restored = Restored(batch)

    @property
    def events(self) -> list[Accepted]:
        """The events whose claims are to be looked up, and what is kept of the texts of their entries."""
        events = (
            event_of_record(record, verdict, held.agency)
            for held in self._held.values()
            for record, verdict in held.records.values()
        )
        return [event for event in events if event is not None]

    @property
    def kept(self) -> dict[int, dict[str, Kept]]:
        """What is kept of the texts of entries that a record may repeat."""
        return self._restored.batch.kept

    def _take_duplicates(self, topic: str, held: Held, offsets: range, known: Known) -> None:
        """Take the duplicates at offsets without an entry, if their records are unchanged."""
        for offset in offsets:
            if offset not in held.records:
                self._lacking(topic).duplicates += held.has_lost(offset)
                continue
            event = event_of_record(*held.records[offset], held.agency)
            first = None if event is None else known.get(event.claim)
            if event is None or first is None or not self._repeats(event, first):
                self._lacking(topic).duplicates += 1
                continue
            self._restored.batch.duplicates.append((topic, offset, first[1]))
            if event.sequence is not None:
                self._sequences(held.agency).seen.append(event.sequence)

    def _repeats(self, event: Accepted, first: tuple[bytes, int]) -> bool:
        try:
            return is_same(event, first[0], self.kept.get(first[1]))
        except _NOT_AN_EVENT:
            return False

    def _lacking(self, topic: str) -> Lacking:
        return self._restored.lacking.setdefault(topic, Lacking())

    def _sequences(self, agency: Agency) -> Sequences:
        return self._restored.batch.sequences.setdefault(agency.code, Sequences())


class Gap(_Restoring):
    """A part of a topic without entries, up to `end`: what it holds are duplicates of events before it.

    An agency has one topic, so that the event of a duplicate is at a lower offset, and its entry in the log already.
    """

    def __init__(self, topic: str, held: Held, end: int, batch: Batch) -> None:
        super().__init__(batch, {topic: held})
        self._topic = topic
        self._end = end

    def restore(self, known: Known) -> Restored:
        """The batch, which has no entry."""
        topic, held, batch = self._topic, self._held[self._topic], self._restored.batch
        self._take_duplicates(topic, held, range(held.next_offset, self._end), known)
        last = self._end - 1
        is_taken = bool(batch.duplicates) and batch.duplicates[-1][1] == last
        batch.positions[topic] = (self._end, mark_of(*held.records[last]) if is_taken else NO_MARK)
        return self._restored


class Part(_Restoring):
    """Consecutive entries of one recorded time, with what the topics hold for them."""

    def __init__(
        self,
        entries: Sequence[Entry],
        raws: Sequence[bytes],
        held: Mapping[str, Held],
        texts: Mapping[tuple[int, str, bytes], Text],
    ) -> None:
        """`texts` are what was found of these entries, by index, member and hash."""
        super().__init__(Batch(entries[0].index, entries[-1].recorded, entries=list(raws)), held)
        self._entries = entries
        self._texts = texts
        self._said = [
            None if is_refusal(entry) else event_of_entry(entry, raw, held[address_of(entry)[0]].agency)
            for entry, raw in zip(entries, raws, strict=True)
        ]

    @property
    def events(self) -> list[Accepted]:
        """Those of the entries too."""
        return [event for event in self._said if event is not None] + super().events

    def restore(self, known: Known) -> Restored:
        """The batch. Adds the entries' claims to `known`."""
        cursors = {topic: held.next_offset for topic, held in self._held.items()}
        last: dict[str, tuple[Entry, bool]] = {}
        for entry, event in zip(self._entries, self._said, strict=True):
            topic, offset = address_of(entry)
            held, batch = self._held[topic], self._restored.batch
            self._take_duplicates(topic, held, range(cursors[topic], offset), known)
            batch.subjects.append(entry.subject)
            _extend_runs(batch.runs, topic, offset, entry.index)
            if event is None:
                agrees, is_confirmed = self._take_refusal(entry, held, offset, known)
            else:
                agrees, is_confirmed = self._take_accepted(entry, event, held, offset, known)
            self._lacking(topic).records += not agrees
            if not is_confirmed:
                self._restored.unconfirmed.append((entry.index, topic))
            cursors[topic] = offset + 1
            last[topic] = entry, agrees
        for topic, (entry, agrees) in last.items():
            self._take_position(topic, entry, agrees=agrees)
        return self._restored

    def _take_accepted(self, entry: Entry, event: Accepted, held: Held, offset: int, known: Known) -> tuple[bool, bool]:
        """Whether the topic holds the record, and whether validation confirms it."""
        batch = self._restored.batch
        is_new = event.claim not in known
        if is_new:
            known[event.claim] = (event.identity, entry.index)
        batch.claims.append(event.claim)
        batch.identities.append(event.identity)
        batch.claim_indexes.append(entry.index)
        if event.sequence is not None:
            sequences = self._sequences(held.agency)
            sequences.seen.append(event.sequence)
            sequences.accepted.append(event.sequence)
        if entry.type in AUTHORITY_TYPES:
            batch.authority.append(Change(entry.type, entry.data, entry.index, entry.id))
        elif entry.type == TEXT_WITHHELD:
            batch.withheld.append(Withheld(*withheld_in(entry.data), entry.index))
        self._take_texts(entry)
        if offset not in held.records:
            return False, False
        record, verdict = held.records[offset]
        validated = event_of_record(record, verdict, held.agency)
        agrees = validated is not None and self._is_of_entry(validated, entry, event)
        return agrees, agrees and is_new and isinstance(verdict, Accepted)

    def _take_texts(self, entry: Entry) -> None:
        """Take the texts of an entry that were found; of the others only that they are lost."""
        batch = self._restored.batch
        for (index, member), found in text_hashes(entry.index, batch.entries[entry.index - batch.first_index]).items():
            sha256, kept = bytes.fromhex(found), self.kept.setdefault(index, {})
            if (text := self._texts.get((index, member, sha256))) is not None:
                batch.texts.append((entry.index, text))
                kept[member] = Kept(sha256, text.salt)
            else:
                shown = f"[{_LOST_TEXT}]" if _is_list(entry.type, member) else _LOST_TEXT
                batch.lost_texts.append((entry.index, member, sha256, None, shown))
                kept[member] = Kept(sha256, None)

    def _is_of_entry(self, record: Accepted, entry: Entry, event: Accepted) -> bool:
        """Whether a record has the bytes of an entry's event, but for its texts, of which it must have the hashes."""
        kept = self.kept.get(entry.index)
        try:
            sent = record.event_bytes if kept is None else as_kept(record.event_bytes, record.compared, kept)
        except _NOT_AN_EVENT:
            return False
        return sent == event.event_bytes

    def _take_refusal(self, entry: Entry, held: Held, offset: int, known: Known) -> tuple[bool, bool]:
        """The same of a refused record."""
        data = entry.data
        refusal = Refusal(
            index=entry.index,
            agency=held.agency.code,
            address=entry.address,
            claimed_id=data.get("claimed_id"),
            claimed_type=data.get("claimed_type"),
            errors=data["problem"]["errors"],
        )
        self._restored.batch.refusals.append(refusal)
        if offset not in held.records or not is_refused_record(*held.records[offset], data):
            return False, False
        record, verdict = held.records[offset]
        if "sha256" in data or (isinstance(verdict, Refused) and verdict.keep_raw):
            refusal.keep_raw, refusal.value, refusal.headers = True, record.value, headers_as_json(record)
        if verdict.sequence is not None:
            self._sequences(held.agency).seen.append(verdict.sequence)
        return True, isinstance(verdict, Refused) or self._is_conflict(verdict, known)

    def _is_conflict(self, verdict: Accepted, known: Known) -> bool:
        first = known.get(verdict.claim)
        return first is not None and not self._repeats(verdict, first)

    def _take_position(self, topic: str, entry: Entry, *, agrees: bool) -> None:
        """Set the topic's position after the entry. If its record was lost, halt the topic."""
        held, batch, (_, offset) = self._held[topic], self._restored.batch, address_of(entry)
        batch.positions[topic] = (offset + 1, mark_of(*held.records[offset]) if agrees else NO_MARK)
        reason = f"the record at offset {offset} is not that of entry {entry.index} ({_LOST}); {WHAT_TO_DO}"
        batch.halts[topic] = None if agrees or held.has_aged(offset) else reason


def _is_list(type_name: str, member: str) -> bool:
    """Whether a free text is a list of texts."""
    return get_origin(CATALOGUE[type_name].model.model_fields[member].annotation) is list


def _extend_runs(runs: list[tuple[str, int, int, int]], topic: str, offset: int, index: int) -> None:
    if runs:
        last_topic, first_offset, first_index, count = runs[-1]
        if (last_topic, first_offset + count, first_index + count) == (topic, offset, index):
            runs[-1] = (topic, first_offset, first_index, count + 1)
            return
    runs.append((topic, offset, index, 1))
