"""The verdict on an agency's records, by address or by id: pending, registered, duplicate, refused, lost.

Reads the registrar's tables and caches nothing. Below the topic's position every verdict is final. A record that was
removed or replaced before it was read has none: it is *lost*, and its event must be sent again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final

import asyncpg
from msgspec import UNSET

from events.types.contradictions import RULES
from events.validation.verdicts import HASH_BYTES, Agency
from events.values.completeness import completeness_status
from events.wire.entry import event_bytes, parse_entry
from infra.json_documents import with_long_numbers_as_texts
from infra.kafka.client_config import agency_topic
from infra.log.proofs import PROOF_PREFIX
from infra.log.reader import chosen_entries
from infra.log.texts import sent_entries
from infra.postgres.connection import Connection
from infra.postgres.sql import queries
from producers.gateway.answers import AnomalyRow, Completeness, CompletenessStatus, ReceiptRow, State, halted_of

_SQL: Final = queries("producers.gateway", "verdicts.sql")


def verdict(state: State, index: int | None = None, **known: Any) -> ReceiptRow:
    """The verdict on a record. `index`: of its entry, of a duplicate's first entry, of the refusal."""
    if index is not None:
        known |= {"index": index, "proof": f"{PROOF_PREFIX}{index}"}
    return ReceiptRow(state=state, **known)


async def by_offsets(connection: Connection, agency: str, offsets: Sequence[int]) -> list[ReceiptRow]:
    """The verdicts on these records of the agency's topic, in ascending order of offset."""
    topic = agency_topic(agency)
    return [_verdict(topic, row) for row in await connection.fetch(_SQL["by_offsets"], topic, list(offsets))]


async def by_id(connection: Connection, agency: Agency, id_: str) -> ReceiptRow | None:
    """The verdict on an id: registered, else the last refusal, else None."""
    claim = sha256(agency.claim_prefix + id_.encode()).digest()[:HASH_BYTES]
    index = await connection.fetchval(_SQL["accepted"], claim)
    if index is not None:
        return verdict("registered", index)
    row = await connection.fetchrow(_SQL["refused"], agency.code, id_)
    return None if row is None else verdict("refused", row["index"], errors=row["errors"])


async def anomalies_of(connection: Connection, index: int) -> list[AnomalyRow] | None:
    """What an entry contradicts; None while the figures do not contain it."""
    applied = await connection.fetchval(_SQL["applied_up_to"])
    if applied is None or applied <= index:
        return None
    rules = [rule for (rule,) in await connection.fetch(_SQL["anomalies"], index)]
    return [AnomalyRow(rule, RULES[rule].en, RULES[rule].ar) for rule in rules]


async def add_records(connection: Connection, verdicts: Sequence[ReceiptRow]) -> None:
    """Give each verdict the `id` and the `sha256` of its record, as far as the log has them.

    The id of a refused record is the one that it claimed, if that may be shown. Of a duplicate the bytes are not kept,
    of a record with personal data no hash, and a tombstone has no bytes. The hash is that of the event as it was sent:
    once one of its texts is withheld, there is none.
    """
    by_index: defaultdict[int, list[ReceiptRow]] = defaultdict(list)
    for row in verdicts:
        if row.index is not UNSET:
            by_index[row.index].append(row)
    entries = [entry async for entry in chosen_entries(connection, sorted(by_index))]
    as_sent = await sent_entries(connection, [raw for _, raw in entries])
    for (index, raw), sent in zip(entries, as_sent, strict=True):
        for row in by_index[index]:
            for name, value in _validated_record(row.state, index, raw, sent).items():
                setattr(row, name, value)


def _validated_record(state: State, index: int, raw: bytes, sent: bytes | None) -> dict[str, str]:
    entry = parse_entry(index, raw)
    if state == "refused":
        claimed = {"id": entry.data.get("claimed_id"), "sha256": entry.data.get("sha256")}
        return {name: value for name, value in claimed.items() if value is not None}
    if state != "registered" or sent is None:
        return {"id": entry.id}
    return {"id": entry.id, "sha256": sha256(event_bytes(sent)).hexdigest()}


async def completeness(connection: Connection, agency: str, month: str | None = None) -> Completeness:
    """The sequence numbers of an agency, or those of one month."""
    row = await connection.fetchrow(_SQL["sequences"], agency, month)
    seen, missing, repeated = ([], [], []) if row is None else (row["seen"], row["missing"], row["repeated"])
    overflowed_at = None if row is None else row["overflowed_index"]
    in_topic, gaps = _inclusive(seen), _inclusive(missing) if overflowed_at is None else []
    first, last = (None, None) if row is None or row["last"] is None else (int(row["first"]), int(row["last"]))
    month_has_numbers = first is not None and last is not None and first <= last
    has_numbers = row is not None if month is None else month_has_numbers
    were_sent = row is not None and (month is None or bool(row["has_numbers"]))
    missing_count = _count(gaps) if has_numbers and overflowed_at is None else None
    status: CompletenessStatus = "no-numbers-sent"
    if were_sent:
        status = completeness_status(missing_count, is_overflowed=overflowed_at is not None)
    document = Completeness(
        agency=agency,
        status=status,
        highest=with_long_numbers_as_texts(0 if row is None else int(row["highest"])),
        sequences_overflowed_at=overflowed_at,
        seen_count=with_long_numbers_as_texts(_count(in_topic)),
        missing_count=with_long_numbers_as_texts(missing_count),
        seen=with_long_numbers_as_texts(in_topic),
        missing=with_long_numbers_as_texts(gaps),
        repeated=with_long_numbers_as_texts(_inclusive(repeated)),
    )
    if month is not None:
        document.month = month
        document.first = with_long_numbers_as_texts(first) if has_numbers else None
        document.last = with_long_numbers_as_texts(last) if has_numbers else None
    return document


def _verdict(topic: str, row: asyncpg.Record) -> ReceiptRow:
    address, offset = f"{topic}/0/{row['offset']}", row["offset"]
    if row["next_offset"] is None or offset >= row["next_offset"]:
        return verdict("pending", address=address, halted=halted_of(row["halted_reason"]))
    if row["errors"] is not None:
        return verdict("refused", row["index"], address=address, errors=row["errors"])
    if row["of_index"] is not None:
        return verdict("duplicate", row["of_index"], address=address)
    return verdict("lost" if row["index"] is None else "registered", row["index"], address=address)


def _inclusive(ranges: Any) -> list[list[int]]:
    """PostgreSQL ranges as [first, last], whichever bounds they have."""
    result = []
    for found in ranges:
        first = int(found.lower) + (0 if found.lower_inc else 1)
        last = int(found.upper) - (0 if found.upper_inc else 1)
        if first <= last:
            result.append([first, last])
    return result


def _count(ranges: Sequence[Sequence[int]]) -> int:
    return sum(last - first + 1 for first, last in ranges)
