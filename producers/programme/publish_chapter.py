"""Publishes a chapter: every agency's events to its own topic."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from events.errors import YesserError
from infra.postgres.connection import connected
from infra.postgres.outbox import OutboxEvent
from infra.postgres.outbox_table import write
from infra.settings import Settings
from producers.agencies.register import NewAgency, add_agencies
from producers.programme.chapter_one import OFFICE
from producers.programme.commands import PATIENCE_S
from producers.programme.records import read_records
from producers.programme.story_event import StoryEvent
from producers.publisher.destination import Progress
from producers.publisher.kafka_publisher import AgencyPublisher
from producers.publisher.over_kafka import wait_for_verdicts
from producers.publisher.report import Report

OnVerdicts = Callable[[int], None]
"""Called with the number of events that got their verdict since the last call."""


class StoryRefused(YesserError):
    """The story no longer fits the contract: correct its data files."""


class _Meter(Progress):
    """Converts one agency's progress to increments."""

    def __init__(self, on_verdicts: OnVerdicts) -> None:
        self._on_verdicts = on_verdicts
        self._reported = 0

    def verdicts(self, lines_count: int, of_count: int) -> None:
        self._on_verdicts(lines_count - self._reported)
        self._reported = lines_count


async def register_agencies(settings: Settings) -> int:
    """Register the agencies of the story and wait until all can publish; returns how many were new."""
    agencies = [
        NewAgency(row["code"], row["role"], row["name"]["ar"], row["name"]["en"])
        for row in read_records("agencies")["agencies"]
    ]
    settings = settings.acting_as("administrator")
    async with connected(settings, "demo") as connection:
        return len(await add_agencies(connection, settings, agencies, lambda: datetime.now(UTC)))


async def publish_chapter(settings: Settings, events: Sequence[StoryEvent], on_verdicts: OnVerdicts) -> None:
    """Publish all events and wait until they are in the log. Raises `StoryRefused` if the registrar refuses any."""
    for stage in stages(events):
        async with asyncio.TaskGroup() as group:
            for agency, values in stage.items():
                group.create_task(_publish(settings, agency, values, on_verdicts))


def stages(events: Sequence[StoryEvent]) -> list[dict[str, list[bytes]]]:
    """The events published at once, stage by stage: agency → its events in order.

    The office comes first, alone: its plan and quotas decide when a target is reached. Published together with the
    other agencies' launches and certificates, their order in the log, and so the campaigns, would be random.
    """
    by_agency: dict[str, list[bytes]] = {}
    for event in events:
        by_agency.setdefault(event.agency, []).append(event.value)
    office = {OFFICE: by_agency.pop(OFFICE)} if OFFICE in by_agency else {}
    return [stage for stage in (office, by_agency) if stage]


async def add_to_outbox(settings: Settings, events: Sequence[OutboxEvent]) -> None:
    """Put triggers into the platform's outbox as the timers do."""
    async with connected(settings.acting_as("delivery"), "demo") as connection:
        await write(connection, events)


async def _publish(settings: Settings, agency: str, values: list[bytes], on_verdicts: OnVerdicts) -> None:
    report = Report(lines=len(values))
    async with AgencyPublisher(settings, agency, acknowledged=report.sent.add) as publisher:
        for number, value in enumerate(values, 1):
            await publisher.add(value, number)
    await wait_for_verdicts(settings, agency, report, _Meter(on_verdicts), PATIENCE_S)
    problems = report.problems()
    if problems:
        row = problems[0]
        raise StoryRefused(f"{agency} was refused at event {row.line}: {row.code} at {row.pointer}.")
