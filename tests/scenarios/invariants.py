"""What nothing may break, checked on the services themselves: the tree, the verdicts, the order, the fan-out.

The tree is computed here with a dozen lines of RFC 6962 and nothing of the production code.
"""

from __future__ import annotations

import base64
import json
from hashlib import sha256
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from infra.kafka.client_config import client_arguments
from infra.log.reader import log_size
from infra.postgres.connection import Connection, connect
from infra.settings import Settings

READ_MAX = 5000


async def broken_invariants(settings: Settings, raw: list[bytes]) -> list[str]:
    """A sentence for each invariant that does not hold."""
    connection = await connect(settings, "judge", batch=True)
    try:
        found = await _tree(connection, settings, raw)
        found += await _verdicts(connection, settings, raw)
        found += await _at_rest(connection, len(raw))
        found += await _fan_out(settings, raw)
        return found + await _triggers(settings, raw)
    finally:
        await connection.close()


def leaf(entry: bytes) -> bytes:
    """The leaf hash of RFC 6962."""
    return sha256(b"\x00" + entry).digest()


def root_of(leaves: list[bytes]) -> bytes:
    """The tree hash of RFC 6962: an odd node goes up as it is."""
    level = leaves or [sha256(b"").digest()]
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=False)
        level = [sha256(b"\x01" + a + b).digest() for a, b in pairs] + ([level[-1]] if len(level) % 2 else [])
    return level[0]


async def _tree(connection: Connection, settings: Settings, raw: list[bytes]) -> list[str]:
    found = []
    leaves = [leaf(entry) for entry in raw]
    stored = await connection.fetch("SELECT first_index, entries_count, leaves FROM log.segment ORDER BY first_index")
    expected = 0
    for first, count, hashes in stored:
        if first != expected:
            found.append(f"index {expected} is missing: the next bundle begins at {first}")
        if hashes != b"".join(leaves[first : first + count]):
            found.append(f"the stored leaf hashes from {first} on are not those of the entries")
        expected = first + count
    if expected != len(raw):
        found.append(f"the log ends at {expected}, and {len(raw)} entries were read")
    root = root_of(leaves)
    newest = await connection.fetchval("SELECT note FROM log.checkpoint ORDER BY size DESC LIMIT 1")
    kept = (settings.log_folder / "checkpoint").read_text(encoding="utf-8")
    for name, note in (("in PostgreSQL", newest), ("beside the key", kept)):
        _, size, signed = note.split("\n")[:3]
        if (int(size), base64.b64decode(signed)) != (len(raw), root):
            found.append(f"the checkpoint {name} (size {size}) is not that of the {len(raw)} entries")
    return found


async def _verdicts(connection: Connection, settings: Settings, raw: list[bytes]) -> list[str]:
    """Every record of every agency has one verdict, which stays, in the order in which the agency published."""
    found: list[str] = []
    indexes: dict[int, str] = {}
    if (size := await log_size(connection)) != len(raw):
        return [f"the log grew from {len(raw)} to {size} entries while it was judged"]
    positions = await connection.fetch("SELECT topic, next_offset FROM log.read_position ORDER BY topic")
    ends = await _ends(settings, [row["topic"] for row in positions])
    for topic, next_offset in positions:
        if ends[topic] != next_offset:
            found.append(f"{topic} ends at {ends[topic]} and was read up to {next_offset}")
        found += await _verdicts_of(connection, topic, next_offset, raw, indexes)
    if sorted(indexes) != list(range(len(raw))):
        found.append(f"{len(indexes)} indexes have a record, and the log has {len(raw)} entries")
    return found


async def _verdicts_of(
    connection: Connection, topic: str, end: int, raw: list[bytes], indexes: dict[int, str]
) -> list[str]:
    found, last_index, by_offset = [], -1, [0] * end
    runs = "SELECT first_offset, first_index, entries_count FROM log.run WHERE topic = $1 ORDER BY first_offset"
    for offset, index, count in await connection.fetch(runs, topic):
        if index <= last_index:
            found.append(f"{topic}: offset {offset} was numbered {index}, after {last_index}: the order is not kept")
        for step in range(count):
            by_offset[offset + step] += 1
            indexes[index + step] = topic
            address = json.dumps(f"{topic}/0/{offset + step}").encode()
            if b'"from":' + address not in raw[index + step][:200]:
                found.append(f"entry {index + step} does not say that it comes from {topic} offset {offset + step}")
        last_index = index + count - 1
    duplicates = 'SELECT "offset", of_index FROM log.duplicate WHERE topic = $1'
    for offset, of_index in await connection.fetch(duplicates, topic):
        by_offset[offset] += 1
        if f'"from":"{topic}/'.encode() not in raw[of_index][:200]:
            found.append(f"{topic} offset {offset} is a duplicate of entry {of_index}, which is another agency's")
    wrong = [offset for offset, count in enumerate(by_offset) if count != 1]
    if wrong:
        found.append(f"{topic}: offset {wrong[0]} has {by_offset[wrong[0]]} verdicts ({len(wrong)} such offsets)")
    return found


async def _at_rest(connection: Connection, size: int) -> list[str]:
    found = []
    waiting = await connection.fetchval("SELECT count(*) FROM platform.outbox")
    if waiting:
        found.append(f"{waiting} events wait in the outbox")
    for name, position in await connection.fetch("SELECT consumer, position FROM platform.position"):
        if position != size:
            found.append(f"{name} stands at {position} and the log ends at {size}")
    return found


async def _fan_out(settings: Settings, raw: list[bytes]) -> list[str]:
    """The log's topic holds every index, and each of its records is the entry with its leaf hash."""
    found, missing = [], set(range(len(raw)))
    for record in await read_topic(settings, settings.log_topic):
        headers = dict(record.headers)
        index = int(headers["index"])
        if index >= len(raw) or record.value != raw[index] or headers["leaf"] != leaf(raw[index]).hex().encode():
            found.append(f"{settings.log_topic} offset {record.offset} is not entry {index}")
        missing.discard(index)
    if missing:
        found.append(f"{settings.log_topic} lacks {len(missing)} indexes, the first is {min(missing)}")
    return found


async def _triggers(settings: Settings, raw: list[bytes]) -> list[str]:
    """The campaign teams' topic holds the trigger of every entry `campaign.triggered`, and no other."""
    logged: dict[str, int] = {}
    found = []
    for index, entry in enumerate(raw):
        if b'"sa.gov.yesser.campaign.triggered.v1"' in entry and b'"from":"agency.platform.' in entry[:120]:
            campaign = json.loads(entry)["event"]["data"]["campaign_id"]
            if campaign in logged:
                found.append(f"campaign {campaign} was triggered at {logged[campaign]} and again at {index}")
            logged[campaign] = index
    routed = {json.loads(r.value)["data"]["campaign_id"] for r in await read_topic(settings, settings.triggers_topic)}
    if routed != logged.keys():
        lacking, extra = sorted(logged.keys() - routed), sorted(routed - logged.keys())
        found.append(f"{settings.triggers_topic} lacks {lacking[:3]} and has {extra[:3]} too much")
    return found


async def _ends(settings: Settings, topics: list[str]) -> dict[str, int]:
    async with AIOKafkaConsumer(**client_arguments(settings), enable_auto_commit=False) as consumer:
        ends = await consumer.end_offsets([TopicPartition(topic, 0) for topic in topics])
        return {partition.topic: end for partition, end in ends.items()}


async def read_topic(settings: Settings, topic: str) -> list[Any]:
    """Every record of a topic of one partition."""
    partition = TopicPartition(topic, 0)
    arguments = {"enable_auto_commit": False, "auto_offset_reset": "earliest", "max_partition_fetch_bytes": 8 << 20}
    async with AIOKafkaConsumer(**client_arguments(settings), **arguments) as consumer:
        consumer.assign([partition])
        end = (await consumer.end_offsets([partition]))[partition]
        records: list[Any] = []
        while await consumer.position(partition) < end:
            found = await consumer.getmany(partition, timeout_ms=1000, max_records=READ_MAX)
            records += found.get(partition, [])
        return records
