"""Scenario: the registrar numbers, refuses and signs the records of two agencies, and keeps and withholds texts."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from consumers.registrar.raw_record_reader import parse_batches
from consumers.registrar.registrar import Registrar
from infra.kafka.client_config import agency_topic, is_agency_topic
from infra.log.reader import log_size, read_checked
from tests.scenarios.invariants import broken_invariants
from tests.simulate.worlds import Role, Scenario, World, now, size_of
from tests.world.logs_with_texts import service_suspended
from tests.world.records import LABOUR, registered, said, withheld
from tests.world.topics import HEALTH_TOPIC, LABOUR_TOPIC, PLATFORM_TOPIC, send

TOPICS: Final = (PLATFORM_TOPIC, HEALTH_TOPIC, LABOUR_TOPIC, agency_topic("yesser"))
REGISTRAR: Final = Role("registrar", lambda settings: Registrar(settings, now))
BASE_ENTRIES: Final = 4


async def raw_log(world: World) -> list[bytes]:
    """Every entry."""
    return await read_checked(world.connection, 0, await log_size(world.connection))


async def unregistered(world: World) -> str | None:
    """What the registrar has still to do; None where it has registered, shipped and signed everything."""
    row = await world.connection.fetchrow(
        "SELECT size, shipped_up_to, (SELECT max(size) FROM log.checkpoint) AS signed FROM log.state"
    )
    assert row is not None
    read = dict(await world.connection.fetch("SELECT topic, next_offset FROM log.read_position"))
    for name, topic in world.broker.topics.items():
        if is_agency_topic(name) and read.get(name, 0) != topic.end:
            return f"{name} is read up to {read.get(name)}, and ends at {topic.end}"
    if row["shipped_up_to"] != row["size"] or row["signed"] != row["size"]:
        return f"the log has {row['size']} entries, {row['shipped_up_to']} are shipped, {row['signed']} signed"
    return None


def accepted_ids(raw: Sequence[bytes], topic: str) -> list[str]:
    """The ids of the accepted events of a topic, in log order."""
    entries: list[dict[str, Any]] = [json.loads(entry) for entry in raw]
    return [
        entry["event"]["id"]
        for entry in entries
        if entry["from"].startswith(f"{topic}/") and not entry["event"]["type"].endswith(".registrar.refused.v1")
    ]


async def found_agencies(world: World, claims: Mapping[str, Sequence[bytes]] = MappingProxyType({})) -> None:
    """The first entries, agencies included, and what agencies claim: topic → events."""
    world.broker.create(*TOPICS)
    announced = [registered("platform", "platform"), registered("yesser", "office")]
    await send(world.settings, PLATFORM_TOPIC, *announced, registered("health"), registered("labour"))
    for topic, events in claims.items():
        await send(world.settings, topic, *events)
    world.start(REGISTRAR)
    await world.rest()


async def broken_log(world: World, raw: Sequence[bytes]) -> list[str]:
    """The invariants of the log; and signed heads only grow, as they were published."""
    notes = [note for (note,) in await world.connection.fetch("SELECT note FROM log.checkpoint ORDER BY size")]
    roots: dict[int, bytes] = {}
    found = await broken_invariants(world.settings, [*raw])
    for note in notes:
        size, root = size_of(note), base64.b64decode(note.split("\n")[2])
        if roots.setdefault(size, root) != root:
            found.append(f"two trees of size {size} are signed")
    return found


class Registering(Scenario):
    """The registrar alone: accepted, sent twice, refused, in conflict, and in two portions."""

    roles: Sequence[Role] = (REGISTRAR,)

    async def found(self, world: World) -> None:
        await found_agencies(world)

    async def act(self, world: World) -> None:
        settings = world.settings
        await send(settings, HEALTH_TOPIC, said("1"), said("2"), b"not an event", service_suspended("3", "Sara"))
        await send(settings, LABOUR_TOPIC, said("1", agency=LABOUR))
        await world.rest(stays_s=0)
        text = await world.connection.fetchrow("SELECT index, member FROM log.text")
        assert text is not None
        await send(settings, PLATFORM_TOPIC, withheld(*text))
        more = [said("1"), said("2", "another word"), service_suspended("3", "Sara"), service_suspended("4", "Huda")]
        await send(settings, HEALTH_TOPIC, *more)
        await send(settings, LABOUR_TOPIC, said("1", agency=LABOUR), said("2", agency=LABOUR))

    async def unfinished(self, world: World) -> str | None:
        return await unregistered(world)

    async def broken(self, world: World) -> list[str]:
        raw = await raw_log(world)
        found = await broken_log(world, raw)
        for topic, ids in ((HEALTH_TOPIC, ["1", "2", "3", "4"]), (LABOUR_TOPIC, ["1", "2"])):
            if accepted_ids(raw, topic) != ids:
                found.append(f"{topic}: accepted are {accepted_ids(raw, topic)}, and not {ids}")
        if len(raw) != BASE_ENTRIES + 9:
            found.append(f"the log has {len(raw)} entries, and not {BASE_ENTRIES + 9}")
        if (texts := texts_in_topic(world)) != [None, b"Huda"]:
            found.append(f"the topic of texts has {texts}")
        return found


def texts_in_topic(world: World) -> list[bytes | None]:
    """The names in the last record of each key, in the order of their first; None where the text is deleted."""
    batches = b"".join(batch for _, batch in world.broker.topics[world.settings.texts_topic].batches)
    last = {record.key: record.value for record in parse_batches(batches)}
    return [value and next(name for name in (b"Sara", b"Huda") if name in value) for value in last.values()]
