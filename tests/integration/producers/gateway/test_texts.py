"""Events with free texts at the gateway: a repeat is known by its text while that is kept, and a receipt has the hash
of what was sent."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import orjson

from tests.integration.producers.gateway.test_gateway import accepted, settled, validated
from tests.world.logs_with_texts import service_suspended
from tests.world.records import withheld
from tests.world.registrars import found, registrar, until_size
from tests.world.senders import GatewayHarness, batch
from tests.world.topics import PLATFORM_TOPIC, send
from tests.world.waits import running

SENT = service_suspended("e-1", "Sara")
WRITTEN_ANEW = orjson.dumps(orjson.loads(SENT), option=orjson.OPT_INDENT_2).replace(b"Sara", rb"\u0053ara")
ANOTHER = service_suspended("e-1", "Huda")


async def test_a_repeat_is_known_and_its_receipt_has_the_hash_of_what_was_sent_until_the_text_is_withheld(
    harness: GatewayHarness,
) -> None:
    async def judged(*events: bytes) -> tuple[list[Any], list[Any]]:
        document = await validated(harness, batch(*map(orjson.loads, events)))
        return document["duplicates"], [row["code"] for row in document["errors"]]

    await harness.connection.execute("DELETE FROM platform.agency")
    async with running(registrar(harness.settings)):
        await found(harness.settings, "health")
        await until_size(harness.connection, 3)
        await accepted(harness, SENT)
        receipt = await settled(harness, "/v1/events/e-1")
        assert (receipt["state"], receipt["index"]) == ("registered", 3)
        assert receipt["sha256"] == sha256(SENT).hexdigest()
        duplicate = {"event": 0, "id": "e-1", "index": 3, "proof": "/v1/proofs/3"}
        assert await judged(WRITTEN_ANEW) == ([duplicate], [])
        assert await judged(ANOTHER) == ([], ["conflict"])
        (row,) = (await accepted(harness, WRITTEN_ANEW))["duplicates"]
        assert (row["index"], row["proof"]) == (3, "/v1/proofs/3")
        assert "duplicates" not in await accepted(harness, ANOTHER)
        await until_size(harness.connection, 5)
        rows = (await harness.get("/v1/receipts?since=0")).json()["receipts"]
        assert [row["state"] for row in rows] == ["registered", "duplicate", "refused"]
        assert rows[0]["sha256"] == sha256(SENT).hexdigest()

        await send(harness.settings, PLATFORM_TOPIC, withheld(3, "reason"))
        await until_size(harness.connection, 6)
        receipt = (await harness.get("/v1/events/e-1?address=agency.health.events/0/0")).json()
        assert (receipt["state"], "sha256" in receipt) == ("registered", False), "a short text could be guessed"
        for event in (WRITTEN_ANEW, ANOTHER):
            assert await judged(event) == ([duplicate], []), "a text that is gone is not compared"
        assert await judged(SENT.replace(b'2005-05-05"', b'2005-05-06"', 1)) == ([], ["conflict"])
