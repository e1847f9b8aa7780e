"""Numbering: verdicts in reading order become entries with the next indexes, refusals, duplicates and runs of offsets.

Pure: the known claims and the breakers come in, the rows of one transaction go out. Where a breaker pauses a topic, the
rest of its records is left for later.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from itertools import accumulate
from typing import Final, NamedTuple, Protocol

from consumers.registrar.breaker import Breaker, BreakerState, Outcome
from events.faults.problems import conflict_with
from events.validation.personal_search import headers_hold_personal_data, headers_without_personal_data
from events.validation.refusal import refusal_event
from events.validation.texts import is_same, without_texts
from events.validation.verdicts import Accepted, Agency, Refused
from events.wire.entry import entry_bytes
from events.wire.texts import TEXT_WITHHELD, Kept, Text, new_salt, withheld_in
from infra.log.authority import TYPES as AUTHORITY_TYPES
from infra.log.authority import Change
from infra.log.layout import TILE
from infra.postgres.verdicts import Known
from infra.process.reaction import is_bug, trace_of

CHEAP_RECORDS = 64
SEGMENT_BYTES_MAX: Final = 1 << 20
"""Most bytes of the entries of a segment, which is read as a whole."""


class Record(Protocol):
    """The part of a Kafka record that is used. `timestamp`: when Kafka stored it, in milliseconds."""

    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]: ...


class Mark(NamedTuple):
    """What is kept of the last record read of a topic, to recognise it later.

    Of a record that holds personal data no hash is kept, only when Kafka stored it.
    """

    sha256: bytes | None
    appended_ms: int | None


NO_MARK = Mark(None, None)
"""Nothing was read, or nothing is known of the last record."""


@dataclass(slots=True)
class Reading:
    """Consecutive records of one agency's topic, each with validation's verdict.

    `fault`: why the record behind them got none, which is a bug. The topic is halted there.
    """

    topic: str
    agency: Agency
    records: list[Record]
    verdicts: list[Accepted | Refused]
    fault: str | None = None


@dataclass(slots=True)
class Refusal:
    """A row of `log.refusal`; `value` and `headers` are kept unless they have personal data. Of a conflict, whose
    value was accepted, only such headers are left out."""

    index: int
    agency: str
    address: str
    claimed_id: str | None
    claimed_type: str | None
    errors: list[dict[str, str]]
    keep_raw: bool = False
    value: bytes | None = None
    headers: list[list[str | None]] = field(default_factory=list)


class Withheld(NamedTuple):
    """The entry `by_index` withholds a text, which may be of the same batch."""

    of_index: int
    member: str
    by_index: int


@dataclass(slots=True)
class Sequences:
    """Sequence numbers of one agency in a batch: all of them, and those of accepted events."""

    seen: list[int] = field(default_factory=list)
    accepted: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Batch:
    """The rows that one transaction adds to the log. Lists of equal length are parallel."""

    first_index: int
    recorded: str
    entries: list[bytes] = field(default_factory=list)
    subjects: list[str] = field(default_factory=list)
    claims: list[bytes] = field(default_factory=list)
    identities: list[bytes] = field(default_factory=list)
    claim_indexes: list[int] = field(default_factory=list)
    runs: list[tuple[str, int, int, int]] = field(default_factory=list)
    duplicates: list[tuple[str, int, int]] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    positions: dict[str, tuple[int, Mark]] = field(default_factory=dict)
    """Topic → the offset to read next, and the mark of the record before it."""
    sequences: dict[str, Sequences] = field(default_factory=dict)
    authority: list[Change] = field(default_factory=list)
    texts: list[tuple[int, Text]] = field(default_factory=list)
    """Index and text of accepted events."""
    lost_texts: list[tuple[int, str, bytes, None, str]] = field(default_factory=list)
    """In a recovery, rows of `log.text` of texts that were not found: without a salt, with what is shown instead."""
    kept: dict[int, dict[str, Kept]] = field(default_factory=dict)
    """Index → member → what is kept of its text, of entries that a record may repeat: of `texts`, and of the log."""
    withheld: list[Withheld] = field(default_factory=list)
    breakers: dict[str, BreakerState] = field(default_factory=dict)
    """Of topics whose breaker has changed."""
    halts: dict[str, str | None] = field(default_factory=dict)
    """Topics to halt, with the reason, and in a recovery topics to read again (None)."""

    @property
    def size(self) -> int:
        """The log's size after this batch."""
        return self.first_index + len(self.entries)


def claims_of(readings: Sequence[Reading]) -> list[bytes]:
    """The claims to look up before these records can be numbered."""
    return [v.claim for reading in readings for v in reading.verdicts if isinstance(v, Accepted)]


def fault_of(topic: str, record: Record, error: Exception) -> str:
    """The reason to halt a topic at a record that meets a bug. Raises an error that is none."""
    if not is_bug(error):
        raise error
    return (
        f"the record at {topic}/0/{record.offset} meets a bug of this release ({trace_of(error)}). Nothing is skipped:"
        " install a release without the bug, then run `yesser registrar unhalt` (docs/runbook.md)"
    )


def number(
    batch: Batch,
    readings: Sequence[Reading],
    known: Known,
    breakers: Mapping[str, Breaker],
    now: datetime,
    salt: Callable[[], bytes] = new_salt,
) -> Iterator[None]:
    """Add the final verdict on every record of `readings` to `batch`, and the accepted claims to `known`.

    A generator, so that the caller can let other tasks run: it yields after a few cheap records, or one that is not.
    Records behind the one that pauses or halts a topic are removed from its reading.
    """
    for reading in readings:
        breaker = breakers.get(reading.topic)
        before = None if breaker is None else breaker.kept
        yield from _number_topic(batch, reading, known, breaker, now, salt)
        if breaker is not None and breaker.kept != before:
            batch.breakers[reading.topic] = breaker.kept


def _number_topic(
    batch: Batch, reading: Reading, known: Known, breaker: Breaker | None, now: datetime, salt: Callable[[], bytes]
) -> Iterator[None]:
    topic = reading.topic
    sequences = batch.sequences.setdefault(reading.agency.code, Sequences())
    index = batch.size
    run_offset = run_index = -1
    taken = 0
    for record, verdict in zip(reading.records, reading.verdicts, strict=True):
        first = known.get(verdict.claim) if isinstance(verdict, Accepted) else None
        refused = None
        try:
            address = f"{topic}/0/{record.offset}"
            if isinstance(verdict, Refused):
                outcome = Outcome.REFUSED
                refused = _refused(batch, reading, record, verdict, address)
            elif first is None:
                outcome = Outcome.ACCEPTED
                event, identity, texts = without_texts(verdict, salt)
                entry = entry_bytes(batch.recorded, address, event, has_texts=bool(texts))
            elif is_same(verdict, first[0], batch.kept.get(first[1])):
                outcome = Outcome.DUPLICATE
            else:
                outcome = Outcome.CONFLICT
                refused = _refused(batch, reading, record, _conflict(verdict, first[1]), address)
        except Exception as error:
            reading.fault = fault_of(topic, record, error)
            break
        taken += 1
        offset = record.offset
        if verdict.sequence is not None:
            sequences.seen.append(verdict.sequence)
        if first is not None and outcome is Outcome.DUPLICATE:
            batch.duplicates.append((topic, offset, first[1]))
        else:
            if refused is not None:
                entry, subject, refusal = refused
                batch.refusals.append(refusal)
            elif isinstance(verdict, Accepted):
                subject = verdict.subject
                known[verdict.claim] = (identity, index)
                batch.claims.append(verdict.claim)
                batch.identities.append(identity)
                batch.claim_indexes.append(index)
                if texts:
                    batch.texts += [(index, text) for text in texts]
                    batch.kept[index] = {text.member: Kept(text.sha256, text.salt) for text in texts}
                if verdict.sequence is not None:
                    sequences.accepted.append(verdict.sequence)
                if verdict.type in AUTHORITY_TYPES:
                    batch.authority.append(Change(verdict.type, verdict.event["data"], index, verdict.id))
                elif verdict.type == TEXT_WITHHELD:
                    batch.withheld.append(Withheld(*withheld_in(verdict.event["data"]), index))
            batch.entries.append(entry)
            batch.subjects.append(subject)
            if run_offset + (index - run_index) != offset or run_offset < 0:
                if run_offset >= 0:
                    batch.runs.append((topic, run_offset, run_index, index - run_index))
                run_offset, run_index = offset, index
            index += 1
        if breaker is not None:
            size = len(record.value or b"") if outcome is Outcome.ACCEPTED else _size(record)
            if breaker.record(outcome, offset, size, now):
                reading.fault = None  # of a record that is read again after the pause
                break
        if outcome is not Outcome.ACCEPTED or taken % CHEAP_RECORDS == 0:
            yield
    if run_offset >= 0:
        batch.runs.append((topic, run_offset, run_index, index - run_index))
    del reading.records[taken:], reading.verdicts[taken:]
    if reading.records:
        last = reading.records[-1]
        try:
            mark = mark_of(last, reading.verdicts[-1])
        except Exception as error:
            reading.fault = fault_of(topic, last, error)
            mark = Mark(None, last.timestamp)
        batch.positions[topic] = (last.offset + 1, mark)
    if reading.fault is not None:
        batch.halts[topic] = reading.fault


def _conflict(verdict: Accepted, first_index: int) -> Refused:
    return Refused(
        faults=(conflict_with(first_index),),
        claimed_source=verdict.event["source"],
        claimed_id=verdict.id,
        claimed_type=verdict.event["type"],
        sequence=verdict.sequence,
    )


def _refused(
    batch: Batch, reading: Reading, record: Record, refused: Refused, address: str
) -> tuple[bytes, str, Refusal]:
    """The entry of a refusal, its subject, and what is kept of the record. Changes nothing."""
    event, subject, errors = refusal_event(
        topic=reading.topic, partition=0, offset=record.offset, value=record.value, refused=refused, time=batch.recorded
    )
    refusal = Refusal(
        index=batch.size,
        agency=reading.agency.code,
        address=address,
        claimed_id=refused.claimed_id,
        claimed_type=refused.claimed_type,
        errors=errors,
        keep_raw=refused.keep_raw,
        value=record.value if refused.keep_raw else None,
        headers=headers_as_json(record) if refused.keep_raw else [],
    )
    return entry_bytes(batch.recorded, address, event), subject, refusal


def _size(record: Record) -> int:
    """The bytes of a record: all of them may have to be kept."""
    return len(record.value or b"") + sum(len(name) + len(value or b"") for name, value in record.headers)


def headers_as_json(record: Record) -> list[list[str | None]]:
    """A record's headers as stored in the dead-letter table: names, and values in hexadecimal, null where they are."""
    kept = headers_without_personal_data(record.headers)
    return [[_printable(name), None if value is None else value.hex()] for name, value in kept]


def _printable(name: str) -> str:
    """A header's name as text for jsonb: NUL and bytes that are not UTF-8 become `\\x00` and `\\xff`."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace").replace("\0", "\\x00")


def mark_of(record: Record, verdict: Accepted | Refused) -> Mark:
    """What to keep of this record. `Refused.keep_raw` is False if it holds personal data; an accepted one may hold some
    in a header that validation ignores."""
    is_personal = isinstance(verdict, Refused) and not verdict.keep_raw
    if is_personal or headers_hold_personal_data(record.headers):
        return Mark(None, record.timestamp)
    return Mark(record_sha256(record), None)


def has_mark(record: Record, mark: Mark) -> bool:
    """Whether it is the record that was marked."""
    if mark.sha256 is not None:
        return record_sha256(record) == mark.sha256
    return record.timestamp == mark.appended_ms


def record_sha256(record: Record) -> bytes:
    """A record's hash, to detect a lost tail or a re-created topic: each part with its length."""
    digest = sha256()
    for part in (
        record.value,
        *(p for name, value in record.headers for p in (name.encode("utf-8", "surrogateescape"), value)),
    ):
        digest.update(b"-" if part is None else b"%d:" % len(part) + part)
    return digest.digest()


def segments(
    first_index: int, entries: Sequence[bytes], leaves: Sequence[bytes]
) -> list[tuple[int, int, bytes, bytes]]:
    """Rows of `log.segment`: entries in bundle form, split at multiples of 256, and at `SEGMENT_BYTES_MAX`."""
    rows, start, count = [], 0, len(entries)
    while start < count:
        limit = min(count, start + TILE - (first_index + start) % TILE)
        sizes = [*accumulate(map(len, entries[start:limit]))]
        end = start + max(1, bisect_right(sizes, SEGMENT_BYTES_MAX))
        data = b"".join([part for e in entries[start:end] for part in (len(e).to_bytes(2, "big"), e)])
        rows.append((first_index + start, end - start, data, b"".join(leaves[start:end])))
        start = end
    return rows


def ranges(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """The ranges of ascending whole numbers: the first of each, and the number behind its last."""
    found: list[tuple[int, int]] = []
    start = end = None
    for number_ in numbers:
        if number_ != end:
            if start is not None and end is not None:
                found.append((start, end))
            start = number_
        end = number_ + 1
    return found if start is None or end is None else [*found, (start, end)]


def multirange(numbers: Iterable[int]) -> str:
    """A PostgreSQL multirange literal of whole numbers: `{[1,4),[7,8)}`."""
    return "{" + ",".join(f"[{start},{end})" for start, end in ranges(sorted(set(numbers)))) + "}"


def repeated(numbers: Sequence[int]) -> list[int]:
    """Numbers that occur more than once."""
    seen: set[int] = set()
    return [n for n in numbers if n in seen or seen.add(n)]  # type: ignore[func-returns-value]
