"""A record with a national id: nothing of it is kept but its address, and it can be deleted from its topic."""

from __future__ import annotations

from hashlib import sha256

import pytest
from structlog.testing import capture_logs

from consumers.registrar.batch import record_sha256
from consumers.registrar.topics.erase import CannotErase, erase, look_up
from events.validation.validate import validate
from events.validation.verdicts import Accepted
from events.wire.codec import STRUCTURED_HEADERS
from infra.kafka.end_offsets import first_offset
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.world.commands import yesser, yesser_json
from tests.world.records import HEALTH, LABOUR, Record, said
from tests.world.registrars import found, halts, registrar, until_read, until_shipped, until_size, until_topic_halted
from tests.world.topics import HEALTH_TOPIC, LABOUR_TOPIC, records, remake_topic, send
from tests.world.waits import intervals, running

PERSONAL = said("with-id", "the id is 1064971268")


def traces_of(value: bytes) -> list[bytes]:
    """What could be kept of a record: its id, its parts, and each hash that the code makes of records."""
    harmless = validate(value.replace(b"1064971268", b"nothing"), STRUCTURED_HEADERS, HEALTH)
    assert isinstance(harmless, Accepted)
    hashes = [sha256(value).digest(), record_sha256(Record(0, value)), harmless.claim]
    return [b"1064971268", b"with-id", *hashes, *(found.hex().encode() for found in hashes)]


async def stored(connection: Connection) -> bytes:
    """Every row of every table, as text and in hexadecimal."""
    tables = await connection.fetch(
        "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    )
    text = b""
    for table in tables:
        rows = await connection.fetch(f"SELECT t::text FROM {table['schemaname']}.{table['tablename']} t")
        text += b"".join(row[0].encode() for row in rows)
    segments = await connection.fetch("SELECT entries FROM log.segment")
    return text + b"".join(row["entries"] for row in segments)


async def test_nothing_of_a_record_with_a_national_id_is_kept_and_it_is_recognised_all_the_same(
    settings: Settings, connection: Connection
) -> None:
    of_labour = said("with-id", "the id is 1064971268", agency=LABOUR)
    await found(settings, "health", "labour")
    await send(settings, HEALTH_TOPIC, said("good"), PERSONAL)
    await send(settings, LABOUR_TOPIC, of_labour)
    with capture_logs() as lines:
        async with running(registrar(settings)):
            await until_size(connection, 7)
            await until_shipped(connection, 7)
    row = await connection.fetchrow("SELECT * FROM log.read_position WHERE topic = $1", HEALTH_TOPIC)
    assert row is not None
    assert (row["next_offset"], row["last_record_sha256"]) == (2, None)
    assert row["last_record_appended_ms"] == (await records(settings, HEALTH_TOPIC))[1].timestamp
    kept = await stored(connection) + repr(lines).encode()
    shipped = b"".join(record.value or b"" for record in await records(settings, settings.log_topic))
    for trace in traces_of(PERSONAL):
        assert trace not in kept
        assert trace not in shipped
    assert sha256(said("good")).digest() not in kept
    assert b"good" in kept, "what may be kept is found in this way"

    async with running(registrar(settings)):
        await send(settings, HEALTH_TOPIC, said("after"))
        await until_size(connection, 8)
    for code in ("health", "labour"):
        await remake_topic(settings, code)
    await send(settings, HEALTH_TOPIC, said("good"), PERSONAL, said("other"))
    await send(settings, LABOUR_TOPIC, of_labour)  # at another time: without a hash, no more can be known
    async with running(registrar(settings)):
        await until_topic_halted(connection, HEALTH_TOPIC)
        assert "offset 0 is not the one that was read" in await until_topic_halted(connection, LABOUR_TOPIC)


async def test_an_erasure_is_said_before_and_halts_no_registrar(settings: Settings, connection: Connection) -> None:
    await found(settings, "health")
    await send(settings, HEALTH_TOPIC, said("good"), b"{", said("good"))
    async with running(registrar(settings)):
        await until_size(connection, 5)
        await until_read(connection, HEALTH_TOPIC, 3)
        erasures = [await look_up(connection, settings, HEALTH_TOPIC, offset) for offset in range(3)]
        accepted, refused, duplicate = erasures
        assert (accepted.records, accepted.accepted_index, accepted.refusal_index) == (1, 3, None)
        assert (refused.records, refused.accepted_index, refused.refusal_index, refused.is_kept) == (2, None, 4, True)
        assert (duplicate.records, duplicate.accepted_index) == (3, 3)
        with pytest.raises(CannotErase, match=r"offset 3 .* has no verdict yet"):
            await look_up(connection, settings, HEALTH_TOPIC, 3)
        for topic in ("agency.nobody.events", settings.log_topic):
            with pytest.raises(CannotErase, match="not the topic of a registered agency"):
                await look_up(connection, settings, topic, 0)
        for _ in range(2):
            await erase(connection, settings, refused)
        assert await connection.fetchval("SELECT count(*) FROM log.dead_letter") == 0
        last = "SELECT last_record_sha256 FROM log.read_position WHERE topic = $1"
        assert await connection.fetchval(last, HEALTH_TOPIC), "that of the record behind it"
        again = await look_up(connection, settings, HEALTH_TOPIC, 1)
        assert (again.records, again.is_kept) == (0, False)

        await send(settings, HEALTH_TOPIC, said("after"), PERSONAL)
        await until_size(connection, 7)
        asked = await yesser(settings, "erase", HEALTH_TOPIC, "4")
        assert (asked.exit_code, await first_offset(settings, HEALTH_TOPIC)) == (1, 2)
        assert "deleted, up to offset 4: 3" in asked.stdout
        code, document = await yesser_json(settings, "erase", HEALTH_TOPIC, "4", "--yes")
        assert (code, document["erased"]) == (0, True)
        await intervals(settings.agencies_poll_ms)
        assert await halts(connection) == {}
        await send(settings, HEALTH_TOPIC, said("later"))
        await until_size(connection, 8)
    await erase(connection, settings, await look_up(connection, settings, HEALTH_TOPIC, 5))
    await send(settings, HEALTH_TOPIC, said("last"))
    async with running(registrar(settings)):
        await until_size(connection, 9)
    assert await halts(connection) == {}
    assert await first_offset(settings, HEALTH_TOPIC) == 6
