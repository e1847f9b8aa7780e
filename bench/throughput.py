"""The system and its peers side by side, on the same topics and events, with both kinds of traffic.

Of each traffic one stack measures everything alone, and a second one everything together. What a run leaves in the log
and in the read models is compared with what the traffic must lead to.
"""

from __future__ import annotations

import asyncio
from typing import Final

from bench import peers, system
from bench.figures import Figures, growth
from bench.history import AGENCIES
from bench.other_languages import ChildResult, NotRun, append_to_tessera, count_with_streams
from bench.topics import INDEPENDENT, OWN, check_applied, check_registered, publish, records, register_agencies
from bench.traffic import OFFICE
from consumers.models.registry import CONSUMERS
from infra.kafka.client_config import agency_topic
from infra.kafka.end_offsets import end_offsets_reader
from infra.postgres.connection import connected
from infra.settings import Settings

PEER_LIMIT_S: Final = 6.0
RATE: Final = "events/s"
CODES: Final = (OFFICE, *AGENCIES)
STREAMS: Final = {"subject": "Kafka Streams, by subject, own", "key": "Kafka Streams, by key, own"}
TESSERA: Final = "Tessera with deduplication, own"


async def measure(events: int, figures: Figures) -> None:
    """One run."""
    for kind in (OWN, INDEPENDENT):
        with system.stack() as settings:
            await _alone(settings, kind, events, figures)
        with system.stack() as settings:
            await together(settings, kind, events, figures)
    _tessera(events, figures)


async def _alone(settings: Settings, kind: str, events: int, figures: Figures) -> None:
    async with connected(settings, "bench") as connection:
        await register_agencies(settings, connection, AGENCIES)
        result, _ = await publish(settings, kind, events, CODES)
        if kind == OWN:
            await _faststream(settings, events, figures)
        end = await connection.fetchval(system.SIZE) + result.entries
        _add(figures, f"registrar, {kind}", await system.registrar_alone(settings, connection, end), "registrar")
        await check_registered(connection, result)
        if kind == OWN:
            await _kafka_streams(settings, figures)
        for name in CONSUMERS:
            _add(figures, f"{name}, {kind}", await system.consumer_alone(settings, connection, name), name)
        check_applied(settings, result)


async def _faststream(settings: Settings, events: int, figures: Figures) -> None:
    topics = [agency_topic(code) for code in CODES]
    for row, peer in (("one by one", peers.event_by_event), ("in batches", peers.batch_by_batch)):
        found = await peer(settings, topics, events, PEER_LIMIT_S)
        figures.add(f"FastStream, {row}, own", RATE, found.rate)
        figures.add(f"FastStream, {row}, own", "own µs/event", found.processor_us)


async def _kafka_streams(settings: Settings, figures: Figures) -> None:
    async with end_offsets_reader(settings) as end_offsets:
        end = (await end_offsets([settings.log_topic]))[settings.log_topic]
    for grouping, row in STREAMS.items():
        try:
            found = await asyncio.to_thread(count_with_streams, settings, grouping, settings.log_topic, end)
        except NotRun as reason:
            figures.note(str(reason))
            return
        _add_child(figures, row, found, end)


def _tessera(events: int, figures: Figures) -> None:
    lines = [line for _, line, outcome in records(OWN, events) if outcome != "refused"]
    try:
        _add_child(figures, TESSERA, append_to_tessera(lines), len(lines))
    except NotRun as reason:
        figures.note(str(reason))


async def together(settings: Settings, kind: str, events: int, figures: Figures) -> None:
    """Registrar, relay and all consumers as processes of their own, until everything is visible."""
    row = f"everything together, {kind}"
    async with connected(settings, "bench") as connection:
        await register_agencies(settings, connection, AGENCIES)
        result, _ = await publish(settings, kind, events, CODES)
        with system.running(settings, system.BESIDE) as children:
            await system.until_idle(connection)
            with system.process(settings, "registrar") as registrar:
                every = {"registrar": registrar, **children}
                measured = await system.everything(settings, connection, every, result)
                await check_registered(connection, result)
                check_applied(settings, result)
    _add(figures, row, measured, *every)
    figures.add(row, "WAL bytes/event", measured.wal_bytes / measured.events)
    for what, samples in (("visible", measured.samples), ("registered", measured.registered)):
        if (last_to_first := growth(samples)) is not None:
            figures.add(row, f"{what}, last tenth to first", last_to_first)
    for name in every:
        _add_load(figures, f"— {name}, {kind}", measured, name)


def _add(figures: Figures, row: str, measured: system.Measured, *own: str) -> None:
    """The rate, with the processor time of the processes `own` and of the services."""
    figures.add(row, RATE, measured.rate)
    own_us = 1e6 * sum(measured.loads[name].processor_s for name in own) / measured.events
    figures.add(row, "own µs/event", own_us)
    for service in system.SERVICES:
        figures.add(row, f"{service} µs/event", 1e6 * measured.loads[service].processor_s / measured.events)
    figures.add(row, "MiB", sum(measured.loads[name].memory_mib for name in own))


def _add_child(figures: Figures, row: str, found: ChildResult, events: int) -> None:
    figures.add(row, RATE, events / found.printed.seconds)
    figures.add(row, "own µs/event", 1e6 * found.processor_s / events)
    figures.add(row, "MiB", found.memory_mib)
    figures.versions |= found.printed.versions


def _add_load(figures: Figures, row: str, measured: system.Measured, name: str) -> None:
    figures.add(row, "own µs/event", 1e6 * measured.loads[name].processor_s / measured.events)
    figures.add(row, "MiB", measured.loads[name].memory_mib)


async def measure_growth(events: int, figures: Figures) -> None:
    """Everything together over a long log, of own traffic."""
    with system.stack() as settings:
        await together(settings, OWN, events, figures)
