"""A refused event with a free text is sent again, and found where it was accepted, without a hash of its text."""

from __future__ import annotations

import orjson

from infra.postgres.connection import Connection
from infra.settings import Settings
from producers.refusals.read import shown
from producers.refusals.redrive import redrive
from tests.world.logs_with_texts import service_suspended
from tests.world.records import withheld
from tests.world.senders import publish, with_health
from tests.world.topics import PLATFORM_TOPIC, send
from tests.world.waits import until


async def test_what_was_sent_again_is_found_by_its_id(settings: Settings, connection: Connection) -> None:
    wrong = {**orjson.loads(service_suspended("a", "Sara")), "subject": "service/S-2"}
    async with with_health(settings, connection):
        report = await publish(settings, orjson.dumps(wrong) + b"\n" + orjson.dumps({**wrong, "id": "b"}))
        first, second = sorted({row.index or 0 for row in report.problems()})
        sent = await redrive(settings, first, service_suspended("a", "Sara"), 20)
        again = await redrive(settings, first, service_suspended("a", "Sara"), 20)
        another = await redrive(settings, first, service_suspended("a", "Huda"), 20)
        assert (sent.state, again.state, again.index) == ("registered", "duplicate", sent.index)
        assert (another.state, another.index, another.errors[0].code) == ("not-sent", sent.index, "conflict")
        elsewhere = await redrive(settings, second, service_suspended("c", "Huda"), 20)
        await withhold_reason(settings, connection, sent.index)
        without_it = await redrive(settings, first, service_suspended("a", "Mona"), 20)
        assert (without_it.state, without_it.index) == ("duplicate", sent.index), "a withheld text is not compared"
        later = service_suspended("a", "Sara").replace(b"2005-05-05", b"2005-05-06")
        another = await redrive(settings, second, later, 20)
        assert (another.state, another.index, another.errors[0].code) == ("not-sent", sent.index, "conflict")
    for index, accepted in ((first, sent.index), (second, elsewhere.index)):
        document = await shown(connection, index)
        assert document.accepted is not None
        assert (document.accepted.index, document.accepted.by) == (accepted, "redrive")
    kept = {row["identity"] for row in await connection.fetch("SELECT identity FROM platform.redrive")}
    in_log = await connection.fetchval("SELECT identity FROM log.event_id WHERE index = $1", sent.index)
    assert kept == {bytes(16), in_log}, "a text cannot be guessed from either"


async def withhold_reason(settings: Settings, connection: Connection, index: int | None) -> None:
    """Withhold the text of an entry, and wait until it is."""
    assert index is not None
    await send(settings, PLATFORM_TOPIC, withheld(index, "reason"))

    async def is_withheld() -> bool:
        by = await connection.fetchval("SELECT withheld_index FROM log.text WHERE index = $1", index)
        return by is not None

    await until(is_withheld, "the text is withheld")
