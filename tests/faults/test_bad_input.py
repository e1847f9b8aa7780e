"""What an agency writes straight to Kafka: each bad record is one refusal, the next event goes on, nothing leaks."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.record.util import calc_crc32c

from infra.kafka.client_config import agency_topic, client_arguments
from infra.postgres.connection import connect
from infra.settings import Settings
from tests.oracle.log import JsonObject
from tests.oracle.words import personal_number
from tests.scenarios.invariants import read_topic
from tests.scenarios.judge import judge
from tests.scenarios.system import System
from tests.world.events import changed, encoded, initiative

pytestmark = pytest.mark.stack

CODE = "careless"
TOPIC = agency_topic(CODE)
STRUCTURED = ("content-type", b"application/cloudevents+json")
NUMBER = personal_number(Random(7))
ARABIC_NUMBER = "".join(chr(0x660 + int(digit)) for digit in NUMBER)
Header = tuple[str, bytes | None]


@dataclass(frozen=True)
class Case:
    """A record, and the faults that it must be refused for (none: it is accepted)."""

    name: str
    value: bytes | None
    faults: tuple[tuple[str, str], ...] = ()
    headers: Sequence[Header] = field(default=(STRUCTURED,))


def event(name: str, **changes: Any) -> JsonObject:
    """A good event of this agency; its initiative has its id."""
    data = {**initiative()["data"], "initiative_id": name}
    source = f"urn:yesser:agency:{CODE}"
    return initiative(**{"id": name, "source": source, "subject": f"initiative/{name}", "data": data, **changes})


def binary(name: str) -> list[Header]:
    """Headers of binary mode, one with a national id."""
    attributes = event(name) | {"correlationid": NUMBER}
    names = ("specversion", "id", "source", "type", "subject", "time", "correlationid")
    return [("content-type", b"application/json"), *((f"ce_{key}", str(attributes[key]).encode()) for key in names)]


# Other forms of a record reach the registrar in `tests/integration/consumers/registrar/test_hostile_corpus.py`.
CASES = [
    Case("a tombstone", None, (("tombstone", ""),)),
    Case(
        "a national id in Arabic digits",
        encoded(changed(event("id-ar"), "/data/aim/ar", f"رقم {ARABIC_NUMBER}.")),
        (("personal-data", "/data/aim/ar"),),
    ),
    Case(
        "a national id as an id",
        encoded(event(NUMBER)),
        (("personal-data", "/data/initiative_id"), ("personal-data", "/id"), ("personal-data", "/subject")),
    ),
    Case(
        "a national id in what cannot be read",
        b'{"note": "' + NUMBER.encode() + b'", ',
        (("not-json", ""), ("personal-data", "")),
    ),
    Case(
        "a national id as a name",
        encoded(changed(event("id-name"), f"/data/{NUMBER}", 1)),
        (("personal-data", "/data"), ("unknown-field", "/data")),
    ),
    Case(
        "binary mode, a national id in a header",
        encoded(event("b-id")["data"]),
        (("personal-data", "/correlationid"),),
        binary("b-id"),
    ),
    Case("an unknown header that is not UTF-8", encoded(event("unknown")), (), (STRUCTURED, ("x-note", b"\xff"))),
    Case(
        "a national id in an unknown header of what is refused",
        b"{",
        (("not-json", ""),),
        (STRUCTURED, ("x-note", NUMBER.encode())),
    ),
]


async def write(settings: Settings) -> dict[str, int]:
    """Write every case with the agency's own credentials, each followed by a good event; the offset of each by name."""
    offsets = {}
    async with AIOKafkaProducer(**client_arguments(settings.acting_as(f"agency-{CODE}")), acks="all") as producer:
        for number, case in enumerate(CASES):
            key = NUMBER.encode()
            sent = await producer.send_and_wait(TOPIC, case.value, key=key, headers=list(case.headers))
            offsets[case.name] = sent.offset
            await producer.send_and_wait(TOPIC, encoded(event(f"good-{number}")), headers=[STRUCTURED])
        offsets["a header's name"] = await write_with_bad_header_name(producer)
        await producer.send_and_wait(TOPIC, encoded(event("good-last")), headers=[STRUCTURED])
    return offsets


async def write_with_bad_header_name(producer: AIOKafkaProducer) -> int:
    """A record with a header whose name is not UTF-8: no official client writes it, any other can."""
    builder = producer.create_batch()
    headers = [STRUCTURED, ("ce_??", b"1")]
    builder.append(timestamp=None, key=None, value=encoded(event("bad-name")), headers=headers)
    built = builder._build

    def with_bytes() -> bytearray:
        batch = bytearray(bytes(built()).replace(b"ce_??", b"ce_\xff\xfe"))
        struct.pack_into(">I", batch, 17, calc_crc32c(bytes(batch[21:])))
        return batch

    builder._build = with_bytes
    sent = await (await producer.send_batch(builder, TOPIC, partition=0))
    offset: int = sent.offset
    return offset


def test_every_bad_record_is_one_refusal_and_the_next_event_goes_on(system: System) -> None:
    system.add_agencies([(CODE, "agency")])
    offsets = asyncio.run(write(system.settings))
    system.settle()
    refusals = {
        int(row["address"].rpartition("/")[2]): sorted((error["code"], error["pointer"]) for error in row["errors"])
        for row in system.ask("refusals", "list", "--agency", CODE)
    }
    said = {name: refusals.get(offset, []) for name, offset in offsets.items()}
    meant = {case.name: sorted(case.faults) for case in CASES} | {"a header's name": [("bad-header", "")]}
    assert said == meant
    assert len(refusals) == sum(bool(case.faults) for case in CASES) + 1
    judge(system).require_clean()
    assert asyncio.run(where_personal_values_are(system.settings)) == []


async def where_personal_values_are(settings: Settings) -> list[str]:
    """Tables, logs and topics of the platform that hold the national id in any form."""
    forms = (NUMBER, NUMBER.encode().hex(), ARABIC_NUMBER, ARABIC_NUMBER.encode().hex())
    found = []
    connection = await connect(settings, "judge", batch=True)
    try:
        tables = await connection.fetch(
            "SELECT format('%I.%I', table_schema, table_name) FROM information_schema.tables "
            "WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')"
        )
        for (table,) in tables:
            for (row,) in await connection.fetch(f"SELECT t::text FROM {table} t"):
                found += [f"{table}: {row[:200]}" for form in forms if form in row]
    finally:
        await connection.close()
    for path in (settings.home / "logs").iterdir():
        words = path.read_text(encoding="utf-8", errors="replace")
        found += [path.name for form in forms if form in words]
    for record in await read_topic(settings, settings.log_topic):
        said = bytes(record.key or b"") + record.value + repr(record.headers).encode()
        found += [f"entry at offset {record.offset}" for form in forms if form.encode() in said]
    return found
